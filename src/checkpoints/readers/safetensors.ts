import { parseHeader } from '../../inference/weights/safetensors-header.ts';
import type { Checkpoint, CheckpointTensor } from '../checkpoint.ts';
import { NUMBER_BYTES, readNumbers } from './numbers.ts';

/** @throws ActionstreamError MODEL_INVALID */
export function readSafetensorsCheckpoint(bytes: Uint8Array, origin: string): Checkpoint {
  const { entries, dataStart } = parseHeader(bytes, origin, NUMBER_BYTES);
  const tensors = entries.map(({ name, dtype, shape, begin, end }): readonly [string, CheckpointTensor] => {
    const data = bytes.subarray(dataStart + begin, dataStart + end);
    return [name, { shape, dtype, read: () => readNumbers(data, dtype, true) }];
  });
  return { origin, container: 'safetensors', tensors: new Map(tensors) };
}
