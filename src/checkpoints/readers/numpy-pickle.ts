import { countOf, type Checkpoint, type CheckpointTensor } from '../checkpoint.ts';
import type { PickleValue } from '../pickle/types.ts';
import { unpickle } from '../pickle/unpickle.ts';
import { refuse } from '../refuse.ts';
import { numpyHost } from './numpy-host.ts';
import { asArray, type NumpyState } from './numpy-values.ts';
import { readStrided } from './strided.ts';

/** Flax keeps weights and statistics in collections of the same module names; their leaves differ. */
const COLLECTIONS = ['params', 'batch_stats'];

/** Levels of dictionaries within one another. */
const MAX_DEPTH = 32;

/**
 * A pickle of dictionaries of numpy arrays, named by the keys on the way,
 * `Mixed_3b/Branch_0/kernel`; Flax's collections are taken as one.
 * @throws ActionstreamError MODEL_INVALID
 */
export function readNumpyPickle(bytes: Uint8Array, origin: string): Checkpoint {
  const { value } = unpickle(bytes, { place: origin, host: numpyHost });
  const tensors = new Map<string, CheckpointTensor>();
  const add = (item: PickleValue, path: readonly string[]): void => {
    const state = asArray(item)?.state;
    const name = path.join('/');
    if (item instanceof Map && path.length < MAX_DEPTH)
      for (const [key, inner] of item) add(inner, [...path, keyOf(key, name, origin)]);
    else if (!state)
      throw refuse(origin, `${name || 'its whole'} is no numpy array and no dictionary of such`);
    else if (tensors.has(name)) throw refuse(origin, `holds ${name} twice`);
    else tensors.set(name, tensorOf(state, `${origin}: ${name}`));
  };
  for (const part of collectionsOf(value)) add(part, []);
  if (tensors.size === 0) throw refuse(origin, 'holds no numpy array');
  return { origin, container: 'numpy-pickle', tensors };
}

/** Whether its beginning makes a numpy array. */
export function isNumpyPickle(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 2 ** 16));
  return head[0] === 0x80 && head.includes('multiarray') && head.includes('_reconstruct');
}

function collectionsOf(value: PickleValue): readonly PickleValue[] {
  if (!(value instanceof Map) || !value.has('params')) return [value];
  const isFlax = [...value.keys()].every((key) => typeof key === 'string' && COLLECTIONS.includes(key));
  return isFlax ? [...value.values()] : [value];
}

function keyOf(key: PickleValue, within: string, origin: string): string {
  if (typeof key === 'string') return key;
  throw refuse(origin, `a key of ${within || 'its dictionary'} is no text`);
}

function tensorOf({ shape, dtype, fortranOrder, bytes }: NumpyState, place: string): CheckpointTensor {
  const { format, littleEndian, name } = dtype;
  const strides = fortranOrder ? stridesOf([...shape].reverse()).reverse() : stridesOf(shape);
  return {
    shape,
    dtype: name,
    read: () => readStrided({ bytes, format, littleEndian, offset: 0, shape, strides }, place),
  };
}

function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => countOf(shape.slice(axis + 1)));
}
