import type { PickleValue } from '../pickle/types.ts';
import type { NumberFormat } from './numbers.ts';

/** A numpy array as its pickle makes it: empty first, then given its state. */
export interface NumpyArray {
  readonly type: 'array';
  state?: NumpyState;
}

export interface NumpyState {
  readonly shape: readonly number[];
  readonly dtype: NumpyDtype;
  readonly fortranOrder: boolean;
  readonly bytes: Uint8Array;
}

export interface NumpyDtype {
  readonly type: 'dtype';
  readonly name: string;
  readonly format: NumberFormat;
  littleEndian: boolean;
}

export function hosted(object: NumpyArray | NumpyDtype): PickleValue {
  return { kind: 'host', object };
}

export function asArray(value: PickleValue | undefined): NumpyArray | undefined {
  const object = objectOf(value);
  return object?.type === 'array' ? object : undefined;
}

export function asDtype(value: PickleValue | undefined): NumpyDtype | undefined {
  const object = objectOf(value);
  return object?.type === 'dtype' ? object : undefined;
}

function objectOf(value: PickleValue | undefined): NumpyArray | NumpyDtype | undefined {
  const isHost = typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'host';
  return isHost ? (value.object as NumpyArray | NumpyDtype) : undefined;
}
