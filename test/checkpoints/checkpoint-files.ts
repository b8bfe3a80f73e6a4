import { deflateRawSync } from 'node:zlib';
import { parseCheckpoint } from '../../src/checkpoints/read-checkpoint.ts';
import { crc32 } from '../../src/core/crc32.ts';
import { global, pickle, text } from './pickles.ts';

export interface Entry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflated?: true;
  /** What the directory says, where it lies. */
  readonly size?: number;
  readonly crc?: number;
}

export function zip(...entries: readonly Entry[]): Uint8Array {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, data, deflated, size = data.length, crc = crc32(data) } of entries) {
    const packed = deflated ? deflateRawSync(data) : data;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(deflated ? 8 : 0, 4);
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    files.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), common, tail, Buffer.from(name));
    offset += 30 + Buffer.byteLength(name) + packed.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, listed, Buffer.from('PK\x05\x06'), end]);
}

/** {'w': a tensor of this size and stride at this offset over storage 0 of `count` floats} */
export function tensorPickle(
  count: number,
  offset: number,
  size: readonly number[],
  strides: readonly number[],
): Uint8Array {
  const tuple = (values: readonly number[]): Uint8Array =>
    Buffer.concat([Buffer.from('('), ...values.map(int), Buffer.from('t')]);
  return pickle(
    ...['}', text('w'), global('torch._utils', '_rebuild_tensor_v2'), '(', '(', text('storage')],
    ...[global('torch', 'FloatStorage'), text('0'), text('cpu'), int(count), 't', 'Q'],
    ...[int(offset), tuple(size), tuple(strides), 0x89, '}', 't', 'R', 's'],
  );
}

function int(value: number): Uint8Array {
  const bytes = Buffer.alloc(5, 'J');
  bytes.writeInt32LE(value, 1);
  return bytes;
}

export const floats = (...values: readonly number[]): Uint8Array =>
  new Uint8Array(Float32Array.from(values).buffer);

export function torchZip(data: Uint8Array, storage: Uint8Array, ...more: readonly Entry[]): Uint8Array {
  return zip({ name: 'm/data.pkl', data }, { name: 'm/data/0', data: storage }, ...more);
}

export function read(bytes: Uint8Array, tensor = 'w'): number[] {
  return [...parseCheckpoint(bytes, 'm.pt').tensors.get(tensor)!.read()];
}
