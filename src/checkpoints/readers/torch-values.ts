import type { PickleValue } from '../pickle/types.ts';
import type { NumberFormat } from './numbers.ts';

/** A block of numbers that tensors are views of. */
export interface TorchStorage {
  readonly type: 'storage';
  readonly key: string;
  readonly dtype: string;
  readonly format: NumberFormat;
  /** Elements that the pickle says it has. */
  readonly count: number;
  /** First element of a view onto another storage (legacy files only). */
  readonly viewOffset: number;
}

export interface TorchTensor {
  readonly type: 'tensor';
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Something harmless that stands beside weights: a device, a dtype, options of a training run. */
interface TorchInert {
  readonly type: 'inert';
  readonly name: string;
}

export type TorchObject = TorchStorage | TorchTensor | TorchInert;

export function hosted(object: TorchObject): PickleValue {
  return { kind: 'host', object };
}

export function asTensor(value: PickleValue | undefined): TorchTensor | undefined {
  const object = objectOf(value);
  return object?.type === 'tensor' ? object : undefined;
}

export function asStorage(value: PickleValue | undefined): TorchStorage | undefined {
  const object = objectOf(value);
  return object?.type === 'storage' ? object : undefined;
}

function objectOf(value: PickleValue | undefined): TorchObject | undefined {
  const isHost = typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'host';
  return isHost ? (value.object as TorchObject) : undefined;
}
