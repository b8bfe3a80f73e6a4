import type { ActionstreamError } from '../../core/errors.ts';

/** What a pickle can become here. Tuples and lists are both arrays; dictionaries are maps. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleGlobal
  | HostObject;

/** A name that the pickle refers to; never what it would be in Python. */
export interface PickleGlobal {
  readonly kind: 'global';
  readonly module: string;
  readonly name: string;
}

/** Whatever the host made; the pickle machine only carries it. */
export interface HostObject {
  readonly kind: 'host';
  readonly object: unknown;
}

/** Decides what a pickle may refer to. The calls throw what `fail` makes, so that the byte is named. */
export interface PickleHost {
  /** Whether this name may stand in the pickle at all. */
  knows(global: PickleGlobal): boolean;
  /** The value of `global(*args)`. */
  call(global: PickleGlobal, args: readonly PickleValue[], fail: Fail): PickleValue;
  /** The value of a persistent id: PyTorch's storages. */
  load(id: PickleValue, fail: Fail): PickleValue;
  /** Gives a state to an object that it made; absent: states tell nothing about weights. */
  build?(object: PickleValue, state: PickleValue, fail: Fail): void;
}

export type Fail = (problem: string) => ActionstreamError;
