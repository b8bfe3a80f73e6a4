import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { importModel, type ImportedModel, type ImportOptions } from '../../src/checkpoints/import-model.ts';
import { parseCheckpoint } from '../../src/checkpoints/read-checkpoint.ts';
import type { Model } from '../../src/inference/model.ts';
import { parseSafetensors } from '../../src/inference/weights/safetensors.ts';

/** As tools/goldens/make_checkpoint_goldens.py and make_tf_slim_goldens.py write it. */
export interface CheckpointGolden {
  readonly file: string;
  readonly format: string;
  readonly seed: number;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly outputs: readonly number[];
}

const FOLDER = new URL('../fixtures/checkpoints/', import.meta.url);

export const checkpointGoldens = ['cases.json', 'cases-tf-slim.json'].flatMap(
  (file) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as readonly CheckpointGolden[],
);

/** The bytes that PyTorch or numpy wrote. */
export function checkpointBytes(file: string): Uint8Array {
  return gunzipSync(readFileSync(new URL(`${file}.gz`, FOLDER)));
}

export function importGolden(
  { file, frames, height, width }: CheckpointGolden,
  options: Partial<ImportOptions> = {},
): ImportedModel {
  const bytes = checkpointBytes(file);
  return importModel(parseCheckpoint(bytes, file), {
    from: 'auto',
    half: false,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    command: 'test',
    date: '2026-11-23',
    ...options,
    network: { frames, height, width, ...options.network },
  });
}

/** As an engine would load it from its folder. */
export function modelOf({ manifest, weights }: ImportedModel): Model {
  const digest = `sha256:${manifest.weights.sha256}`;
  return { manifest, weights: parseSafetensors(weights, 'model.safetensors'), digest };
}
