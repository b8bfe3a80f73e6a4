import { Machine } from './machine.ts';
import { OPCODES } from './opcodes.ts';
import type { PickleHost, PickleValue } from './types.ts';

/**
 * Reads one pickle (protocol 2 to 5) that begins at `start`, as data: it builds lists,
 * dictionaries, strings and numbers, and asks the host for everything else. Nothing is imported,
 * looked up or called by name: what the host does not know by module and name is refused. Work
 * and memory are bounded: a million opcodes, and a small multiple of the pickle's length.
 * @throws ActionstreamError MODEL_INVALID naming place, byte and what stands there
 */
export function unpickle(
  bytes: Uint8Array,
  { start = 0, place, host }: { readonly start?: number; readonly place: string; readonly host: PickleHost },
): { readonly value: PickleValue; readonly end: number } {
  const machine = new Machine({ bytes, start, place, host });
  for (;;) {
    const opcode = machine.next();
    if (opcode === STOP) return { value: machine.pop(), end: machine.position };
    const operate = OPCODES.get(opcode);
    if (!operate) throw machine.fail(unknownOpcode(opcode));
    operate(machine);
  }
}

const STOP = 0x2e;

function unknownOpcode(opcode: number): string {
  const shown = opcode > 0x20 && opcode < 0x7f ? ` (${String.fromCharCode(opcode)})` : '';
  return `opcode 0x${opcode.toString(16).padStart(2, '0')}${shown} is none that weights need`;
}
