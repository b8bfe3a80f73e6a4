import type { CheckpointTensor } from '../checkpoint.ts';
import type { PickleValue } from '../pickle/types.ts';
import { refuse } from '../refuse.ts';
import { readStrided } from './strided.ts';
import { asTensor, type TorchStorage, type TorchTensor } from './torch-values.ts';

/** Keys under which training scripts keep the weights, in the order they are looked for. */
const NESTED_UNDER = ['state_dict', 'model_state_dict', 'model', 'net', 'module'] as const;
const MAX_NESTING = 3;

/**
 * The tensors of an unpickled checkpoint: a dictionary of tensors, or one under a customary key of it.
 * `load` gives a storage's bytes.
 * @throws ActionstreamError MODEL_INVALID where there is no dictionary of tensors
 */
export function tensorsOf(
  value: PickleValue,
  load: (storage: TorchStorage) => Uint8Array,
  { place, littleEndian }: { readonly place: string; readonly littleEndian: boolean },
): ReadonlyMap<string, CheckpointTensor> {
  const found = findStateDict(value, 0);
  if (!found) {
    const keys = value instanceof Map ? `a dictionary with the keys ${listKeys(value)}` : 'no dictionary';
    throw refuse(place, `holds ${keys}; expected tensors by name, or ${NESTED_UNDER.join(', ')} with such`);
  }
  return new Map(
    found.map(([name, tensor]) => [name, checkpointTensor(tensor, load, `${place}: ${name}`, littleEndian)]),
  );
}

function findStateDict(
  value: PickleValue,
  depth: number,
): readonly (readonly [string, TorchTensor])[] | undefined {
  if (!(value instanceof Map)) return undefined;
  const tensors = [...value].flatMap(([key, item]) => {
    const tensor = asTensor(item);
    return typeof key === 'string' && tensor ? [[key, tensor] as const] : [];
  });
  const inner =
    depth < MAX_NESTING
      ? NESTED_UNDER.map((key) => findStateDict(value.get(key) ?? null, depth + 1)).find(Boolean)
      : undefined;
  return inner ?? (tensors.length > 0 ? tensors : undefined);
}

function listKeys(dictionary: ReadonlyMap<PickleValue, PickleValue>): string {
  const keys = [...dictionary.keys()].slice(0, 8).map((key) => (typeof key === 'string' ? key : typeof key));
  return keys.length > 0 ? keys.join(', ') : '(none)';
}

function checkpointTensor(
  { storage, offset, shape, strides }: TorchTensor,
  load: (storage: TorchStorage) => Uint8Array,
  place: string,
  littleEndian: boolean,
): CheckpointTensor {
  const { dtype, format, viewOffset } = storage;
  const view = { format, littleEndian, offset: offset + viewOffset, shape, strides };
  return { shape, dtype, read: () => readStrided({ ...view, bytes: load(storage) }, place) };
}
