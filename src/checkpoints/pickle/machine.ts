import type { ActionstreamError } from '../../core/errors.ts';
import { refuse } from '../refuse.ts';
import type { PickleGlobal, PickleHost, PickleValue } from './types.ts';

/** Reader, stack and memo of one pickle; every method refuses what is not there. */
export interface Machine {
  position(): number;
  /** The next opcode; errors from here on name its byte. */
  next(): number;
  fail(problem: string): ActionstreamError;

  byte(): number;
  /** Little-endian; `count` at most 8. */
  unsigned(count: number): number;
  int32(): number;
  float64(): number;
  bytes(count: number): Uint8Array;
  /** Up to the next newline, which is skipped. */
  line(): string;

  push(value: PickleValue): void;
  pop(): PickleValue;
  top(): PickleValue;
  mark(): void;
  /** Everything above the last mark, which goes. */
  popToMark(): PickleValue[];

  remember(key: number): void;
  /** The key that MEMOIZE takes: as many as there are. */
  memoSize(): number;
  recall(key: number): void;

  /** @throws where the host does not know the name */
  global(module: string, name: string): PickleGlobal;
  call(callable: PickleValue, args: PickleValue): PickleValue;
  load(id: PickleValue): PickleValue;
  build(object: PickleValue, state: PickleValue): void;
}

/**
 * A byte can ask for an empty dictionary of some hundred: 430 kB of zip killed
 * a process of 4 GB. Weights take some 50 a tensor.
 */
const MAX_OPCODES = 1_000_000;

export function createMachine(bytes: Uint8Array, start: number, place: string, host: PickleHost): Machine {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: PickleValue[] = [];
  const marks: number[] = [];
  const memo = new Map<number, PickleValue>();
  let position = start;
  let opcodeAt = start;
  let opcodes = 0;
  /** Elements that calls may still copy: an argument used again and again would else multiply. */
  let copies = Math.max(10_000, bytes.length);

  const fail = (problem: string): ActionstreamError =>
    refuse(place, `byte ${opcodeAt - start} of the pickle: ${problem}`);

  const take = (count: number): number => {
    const from = position;
    if (count > bytes.length - position) {
      throw fail(
        `${count} more bytes are announced, ${bytes.length - position} are left: truncated or hostile`,
      );
    }
    position += count;
    return from;
  };

  const pop = (): PickleValue => {
    const value = stack.length > (marks.at(-1) ?? 0) ? stack.pop() : undefined;
    if (value === undefined) throw fail('takes a value from an empty stack');
    return value;
  };

  return {
    position: () => position,
    next: () => {
      opcodeAt = position;
      if (++opcodes > MAX_OPCODES) throw fail(`has more than ${MAX_OPCODES} opcodes: no weights, or a bomb`);
      return view.getUint8(take(1));
    },
    fail,

    byte: () => view.getUint8(take(1)),
    unsigned: (count) => {
      const from = take(count);
      let value = 0;
      for (let i = count - 1; i >= 0; i--) value = value * 256 + view.getUint8(from + i);
      return value;
    },
    int32: () => view.getInt32(take(4), true),
    float64: () => view.getFloat64(take(8), false),
    bytes: (count) => {
      const from = take(count);
      return bytes.subarray(from, from + count);
    },
    line: () => {
      const end = bytes.indexOf(0x0a, position);
      if (end < 0) throw fail('a line without an end');
      const text = new TextDecoder().decode(bytes.subarray(position, end));
      position = end + 1;
      return text;
    },

    push: (value) => {
      stack.push(value);
    },
    pop,
    top: () => {
      const value = pop();
      stack.push(value);
      return value;
    },
    mark: () => {
      marks.push(stack.length);
    },
    popToMark: () => {
      const from = marks.pop();
      if (from === undefined) throw fail('takes values up to a mark that nobody set');
      return stack.splice(from);
    },

    remember: (key) => {
      const value = pop();
      stack.push(value);
      memo.set(key, value);
    },
    memoSize: () => memo.size,
    recall: (key) => {
      const value = memo.get(key);
      if (value === undefined) throw fail(`asks for memo ${key}, which holds nothing`);
      stack.push(value);
    },

    global: (module, name) => {
      const global: PickleGlobal = { kind: 'global', module, name };
      if (host.knows(global)) return global;
      throw fail(
        `refers to ${module}.${name}, which no weights need and which would run code in Python; nothing was run. ` +
          'If you trust the file, load it in Python and save only its state_dict()',
      );
    },
    call: (callable, args) => {
      if (!isGlobal(callable) || !Array.isArray(args)) throw fail('calls something that is no function');
      for (const arg of args) copies -= Array.isArray(arg) ? arg.length : arg instanceof Map ? arg.size : 0;
      if (copies < 0) throw fail('calls copy more than the file holds: a bomb');
      return host.call(callable, args, fail);
    },
    load: (id) => host.load(id, fail),
    build: (object, state) => {
      host.build?.(object, state, fail);
    },
  };
}

function isGlobal(value: PickleValue): value is PickleGlobal {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'global';
}
