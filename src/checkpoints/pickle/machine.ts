import type { ActionstreamError } from '../../core/errors.ts';
import { refuse } from '../refuse.ts';
import type { PickleGlobal, PickleHost, PickleValue } from './types.ts';

/**
 * A byte can ask for an empty dictionary of some hundred: 430 kB of zip killed
 * a process of 4 GB. Weights take some 50 a tensor.
 */
const MAX_OPCODES = 1_000_000;

export interface MachineInput {
  readonly bytes: Uint8Array;
  /** First byte of the pickle. */
  readonly start: number;
  /** For errors. */
  readonly place: string;
  readonly host: PickleHost;
}

/** Reader, stack and memo of one pickle; every method refuses what is not there. */
export class Machine {
  readonly #input: MachineInput;
  readonly #view: DataView;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #position: number;
  #opcodeAt: number;
  #opcodes = 0;
  /** Elements that calls may still copy: an argument used again and again would else multiply. */
  #copies: number;

  constructor(input: MachineInput) {
    const { bytes, start } = input;
    this.#input = input;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = this.#opcodeAt = start;
    this.#copies = Math.max(10_000, bytes.length);
  }

  get position(): number {
    return this.#position;
  }

  /** The next opcode; errors from here on name its byte. */
  next(): number {
    this.#opcodeAt = this.#position;
    if (++this.#opcodes > MAX_OPCODES)
      throw this.fail(`has more than ${MAX_OPCODES} opcodes: no weights, or a bomb`);
    return this.byte();
  }

  readonly fail = (problem: string): ActionstreamError => {
    const { place, start } = this.#input;
    return refuse(place, `byte ${this.#opcodeAt - start} of the pickle: ${problem}`);
  };

  byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  /** Little-endian; `count` at most 8. */
  unsigned(count: number): number {
    const from = this.#take(count);
    let value = 0;
    for (let i = count - 1; i >= 0; i--) value = value * 256 + this.#view.getUint8(from + i);
    return value;
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  bytes(count: number): Uint8Array {
    const from = this.#take(count);
    return this.#input.bytes.subarray(from, from + count);
  }

  /** Up to the next newline, which is skipped. */
  line(): string {
    const { bytes } = this.#input;
    const end = bytes.indexOf(0x0a, this.#position);
    if (end < 0) throw this.fail('a line without an end');
    const text = new TextDecoder().decode(bytes.subarray(this.#position, end));
    this.#position = end + 1;
    return text;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    const value = this.#stack.length > (this.#marks.at(-1) ?? 0) ? this.#stack.pop() : undefined;
    if (value === undefined) throw this.fail('takes a value from an empty stack');
    return value;
  }

  top(): PickleValue {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** Everything above the last mark, which goes. */
  popToMark(): PickleValue[] {
    const from = this.#marks.pop();
    if (from === undefined) throw this.fail('takes values up to a mark that nobody set');
    return this.#stack.splice(from);
  }

  remember(key: number): void {
    this.#memo.set(key, this.top());
  }

  /** The key that MEMOIZE takes: as many as there are. */
  get memoSize(): number {
    return this.#memo.size;
  }

  recall(key: number): void {
    const value = this.#memo.get(key);
    if (value === undefined) throw this.fail(`asks for memo ${key}, which holds nothing`);
    this.push(value);
  }

  /** @throws where the host does not know the name */
  global(module: string, name: string): PickleGlobal {
    const global: PickleGlobal = { kind: 'global', module, name };
    if (this.#input.host.knows(global)) return global;
    throw this.fail(
      `refers to ${module}.${name}, which no weights need and which would run code in Python; nothing was run. ` +
        'If you trust the file, load it in Python and save only its state_dict()',
    );
  }

  call(callable: PickleValue, args: PickleValue): PickleValue {
    if (!isGlobal(callable) || !Array.isArray(args)) throw this.fail('calls something that is no function');
    for (const arg of args)
      this.#copies -= Array.isArray(arg) ? arg.length : arg instanceof Map ? arg.size : 0;
    if (this.#copies < 0) throw this.fail('calls copy more than the file holds: a bomb');
    return this.#input.host.call(callable, args, this.fail);
  }

  load(id: PickleValue): PickleValue {
    return this.#input.host.load(id, this.fail);
  }

  build(object: PickleValue, state: PickleValue): void {
    this.#input.host.build?.(object, state, this.fail);
  }

  /** Where the next `count` bytes begin; they are passed. */
  #take(count: number): number {
    const from = this.#position;
    const left = this.#input.bytes.length - from;
    if (count > left)
      throw this.fail(`${count} more bytes are announced, ${left} are left: truncated or hostile`);
    this.#position += count;
    return from;
  }
}

function isGlobal(value: PickleValue): value is PickleGlobal {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'global';
}
