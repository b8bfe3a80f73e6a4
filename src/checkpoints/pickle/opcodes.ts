import type { Machine } from './machine.ts';
import type { PickleValue } from './types.ts';

type Operate = (machine: Machine) => void;

const push =
  (value: (machine: Machine) => PickleValue): Operate =>
  (machine) => {
    machine.push(value(machine));
  };

/**
 * What a pickle of weights is made of; all else (INST, OBJ, extension registry,
 * buffers) is refused. STOP ends outside.
 */
export const OPCODES: ReadonlyMap<number, Operate> = new Map<number, Operate>([
  [0x80, readProtocol],
  // FRAME: a hint for readers of streams.
  [
    0x95,
    (machine) => {
      machine.unsigned(8);
    },
  ],

  [0x4e, push(() => null)], // NONE
  [0x88, push(() => true)], // NEWTRUE
  [0x89, push(() => false)], // NEWFALSE
  [0x4b, push((machine) => machine.byte())], // BININT1
  [0x4d, push((machine) => machine.unsigned(2))], // BININT2
  [0x4a, push((machine) => machine.int32())], // BININT
  [0x8a, push((machine) => readLong(machine, machine.byte()))], // LONG1
  [0x8b, push((machine) => readLong(machine, machine.unsigned(4)))], // LONG4
  [0x47, push((machine) => machine.float64())], // BINFLOAT

  [0x8c, push((machine) => text(machine, 1))], // SHORT_BINUNICODE
  [0x58, push((machine) => text(machine, 4))], // BINUNICODE
  [0x8d, push((machine) => text(machine, 8))], // BINUNICODE8
  [0x55, push((machine) => text(machine, 1))], // SHORT_BINSTRING, Python 2
  [0x54, push((machine) => text(machine, 4))], // BINSTRING, Python 2
  [0x43, push((machine) => machine.bytes(machine.byte()))], // SHORT_BINBYTES
  [0x42, push((machine) => machine.bytes(machine.unsigned(4)))], // BINBYTES
  [0x8e, push((machine) => machine.bytes(machine.unsigned(8)))], // BINBYTES8

  [0x5d, push(() => [])], // EMPTY_LIST
  [0x29, push(() => [])], // EMPTY_TUPLE
  [0x7d, push(() => new Map())], // EMPTY_DICT
  [0x8f, push(() => new Set())], // EMPTY_SET
  [0x74, push((machine) => machine.popToMark())], // TUPLE
  [0x85, push((machine) => popMany(machine, 1))], // TUPLE1
  [0x86, push((machine) => popMany(machine, 2))], // TUPLE2
  [0x87, push((machine) => popMany(machine, 3))], // TUPLE3
  [
    0x61,
    (machine) => {
      append(machine, [machine.pop()]);
    },
  ], // APPEND
  [
    0x65,
    (machine) => {
      append(machine, machine.popToMark());
    },
  ], // APPENDS
  [
    0x73,
    (machine) => {
      setItems(machine, popMany(machine, 2));
    },
  ], // SETITEM
  [
    0x75,
    (machine) => {
      setItems(machine, machine.popToMark());
    },
  ], // SETITEMS
  [0x90, addItems],

  [
    0x28,
    (machine) => {
      machine.mark();
    },
  ], // MARK
  [
    0x30,
    (machine) => {
      machine.pop();
    },
  ], // POP
  [
    0x31,
    (machine) => {
      machine.popToMark();
    },
  ], // POP_MARK
  [0x32, push((machine) => machine.top())], // DUP
  [
    0x71,
    (machine) => {
      machine.remember(machine.byte());
    },
  ], // BINPUT
  [
    0x72,
    (machine) => {
      machine.remember(machine.unsigned(4));
    },
  ], // LONG_BINPUT
  [
    0x94,
    (machine) => {
      machine.remember(machine.memoSize);
    },
  ], // MEMOIZE
  [
    0x68,
    (machine) => {
      machine.recall(machine.byte());
    },
  ], // BINGET
  [
    0x6a,
    (machine) => {
      machine.recall(machine.unsigned(4));
    },
  ], // LONG_BINGET

  [0x63, push((machine) => machine.global(machine.line(), machine.line()))], // GLOBAL
  [0x93, push(stackGlobal)], // STACK_GLOBAL
  [0x52, push(call)], // REDUCE
  [0x81, push(call)], // NEWOBJ: an empty object of a class that the host knows
  [0x51, push((machine) => machine.load(machine.pop()))], // BINPERSID
  [0x62, build],
]);

function readProtocol(machine: Machine): void {
  const protocol = machine.byte();
  if (protocol < 2 || protocol > 5) throw machine.fail(`is pickle protocol ${protocol}, expected 2 to 5`);
}

/** Two's complement. PyTorch's own longest is ten bytes; thousands would only cost time. */
function readLong(machine: Machine, count: number): number | bigint {
  if (count > 64) throw machine.fail(`a whole number of ${count} bytes`);
  const digits = machine.bytes(count);
  let value = 0n;
  for (let i = count - 1; i >= 0; i--) value = value * 256n + BigInt(digits[i] ?? 0);
  if ((digits.at(-1) ?? 0) >= 0x80) value -= 1n << BigInt(8 * count);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** JavaScript's own limit is half a gigabyte, and its error names nothing. */
const MAX_TEXT_BYTES = 2 ** 24;

function text(machine: Machine, lengthBytes: number): string {
  const bytes = machine.bytes(machine.unsigned(lengthBytes));
  if (bytes.length > MAX_TEXT_BYTES) throw machine.fail(`a text of ${bytes.length} bytes`);
  return new TextDecoder().decode(bytes);
}

function popMany(machine: Machine, count: number): PickleValue[] {
  return Array.from({ length: count }, () => machine.pop()).reverse();
}

function append(machine: Machine, items: readonly PickleValue[]): void {
  const list = machine.top();
  if (!Array.isArray(list)) throw machine.fail('appends to something that is no list');
  for (const item of items) list.push(item);
}

function setItems(machine: Machine, items: readonly PickleValue[]): void {
  const dictionary = machine.top();
  if (!(dictionary instanceof Map)) throw machine.fail('sets an item of something that is no dictionary');
  if (items.length % 2 !== 0) throw machine.fail('sets a key without a value');
  for (let i = 0; i < items.length; i += 2) dictionary.set(items[i] ?? null, items[i + 1] ?? null);
}

function addItems(machine: Machine): void {
  const items = machine.popToMark();
  const set = machine.top();
  if (!(set instanceof Set)) throw machine.fail('adds to something that is no set');
  for (const item of items) set.add(item);
}

function stackGlobal(machine: Machine): PickleValue {
  const name = machine.pop();
  const module = machine.pop();
  if (typeof name !== 'string' || typeof module !== 'string')
    throw machine.fail('refers to a name that is no text');
  return machine.global(module, name);
}

function call(machine: Machine): PickleValue {
  const args = machine.pop();
  return machine.call(machine.pop(), args);
}

/**
 * State of an object: of dictionaries (a state_dict's `_metadata`) and of inert
 * ones it tells nothing about weights.
 */
function build(machine: Machine): void {
  const state = machine.pop();
  const object = machine.top();
  const takesState = object instanceof Map || isHostObject(object);
  if (!takesState) throw machine.fail('gives a state to something that has none');
  machine.build(object, state);
}

function isHostObject(value: PickleValue): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'host';
}
