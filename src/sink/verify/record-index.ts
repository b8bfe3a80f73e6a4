import * as crypto from 'node:crypto';

/**
 * A set of identities, each with a number: 0, 1, 2, … in the order they came. An identity takes about
 * 20 bytes, outside of the JavaScript heap, however long it is: 96 bits of its SHA-256 stand for it.
 */
export interface RecordIndex {
  readonly size: number;
  /** The identity's number; a new one where it was not there. */
  add(id: string): number;
  numberOf(id: string): number | undefined;
}

const FIRST_SLOTS = 1 << 16;

export function createRecordIndex(): RecordIndex {
  let size = 0;
  const ids = createColumn(Uint32Array, DIGEST_WORDS);
  /** Open addressing, at most half full: number + 1, or 0. */
  let slots = new Uint32Array(FIRST_SLOTS);

  const slotOf = (words: ArrayLike<number>): number => {
    let slot = (words[0] ?? 0) % slots.length;
    for (;;) {
      const held = slots[slot] ?? 0;
      if (held === 0 || ids.equals(held - 1, words)) return slot;
      slot = (slot + 1) % slots.length;
    }
  };

  const grow = (): void => {
    slots = new Uint32Array(2 * slots.length);
    for (let number = 0; number < size; number += 1) slots[slotOf(ids.get(number))] = number + 1;
  };

  return {
    get size() {
      return size;
    },
    add(id) {
      if (2 * size >= slots.length) grow();
      const words = digestWords(id);
      const slot = slotOf(words);
      const held = slots[slot] ?? 0;
      if (held !== 0) return held - 1;
      size += 1;
      slots[slot] = size;
      ids.set(size - 1, words);
      return size - 1;
    },
    numberOf(id) {
      const held = slots[slotOf(digestWords(id))] ?? 0;
      return held === 0 ? undefined : held - 1;
    },
  };
}

/** 96 bits: of a billion texts, two share them with a probability of 1 in 10^11. */
export const DIGEST_WORDS = 3;

/** The first bits of the SHA-256 of a text. */
export function digestWords(text: string): Uint32Array {
  const digest = sha256(text);
  const words = new Uint32Array(DIGEST_WORDS);
  for (let i = 0; i < DIGEST_WORDS; i += 1) {
    const [a, b] = [digest.charCodeAt(4 * i), digest.charCodeAt(4 * i + 1)];
    const [c, d] = [digest.charCodeAt(4 * i + 2), digest.charCodeAt(4 * i + 3)];
    words[i] = a | (b << 8) | (c << 16) | (d << 24);
  }
  return words;
}

/** One character a byte. Node 20.12 has it in one call, which takes a fifth of the time. */
const sha256: (text: string) => string = Object.hasOwn(crypto, 'hash')
  ? (text) => crypto.hash('sha256', text, 'binary')
  : (text) => crypto.createHash('sha256').update(text).digest('binary');

type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** Some numbers for each record, 0 until they are set. It grows in pieces, so that growing copies nothing. */
export interface Column {
  get(number: number): Numbers;
  /** The first of a record's numbers. */
  value(number: number): number;
  set(number: number, values: ArrayLike<number>): void;
  equals(number: number, values: ArrayLike<number>): boolean;
}

const PIECE = 1 << 14;

export function createColumn(type: new (length: number) => Numbers, width = 1): Column {
  const pieces: Numbers[] = [];
  const pieceOf = (number: number): Numbers =>
    (pieces[Math.floor(number / PIECE)] ??= new type(PIECE * width));
  return {
    get(number) {
      const at = (number % PIECE) * width;
      return pieceOf(number).subarray(at, at + width);
    },
    value: (number) => pieceOf(number)[(number % PIECE) * width] ?? 0,
    set(number, values) {
      pieceOf(number).set(values, (number % PIECE) * width);
    },
    equals(number, values) {
      const piece = pieceOf(number);
      const at = (number % PIECE) * width;
      for (let i = 0; i < width; i += 1) if (piece[at + i] !== values[i]) return false;
      return true;
    },
  };
}
