import { createHash } from 'node:crypto';

/**
 * A set of records by identity, each with a number, a digest and a few marks: 30 to 60 bytes a record, whatever the
 * records weigh, outside of the JavaScript heap. 128 bits of a hash stand for an identity, 64 for a payload.
 */
export interface RecordIndex {
  readonly size: number;
  /** The record's number, 0, 1, 2, …; undefined where it was there already. */
  add(id: string, payload?: string): number | undefined;
  numberOf(id: string): number | undefined;
  hasPayload(number: number, payload: string): boolean;
  /** Sets a mark (a power of two up to 128). @returns false where it was set already */
  mark(number: number, mark: number): boolean;
  isMarked(number: number, mark: number): boolean;
  /** A place of the record somewhere else, from 1 on; 0: none yet. */
  placeOf(number: number): number;
  setPlace(number: number, place: number): void;
}

const FIRST_CAPACITY = 1024;
const ID_WORDS = 4;
const DIGEST_WORDS = 2;

export function createRecordIndex(): RecordIndex {
  let capacity = FIRST_CAPACITY;
  let size = 0;
  let ids = new Uint32Array(ID_WORDS * capacity);
  let digests = new Uint32Array(DIGEST_WORDS * capacity);
  let places = new Float64Array(capacity);
  let marks = new Uint8Array(capacity);
  /** Open addressing, at most half full: number + 1, or 0. */
  let slots = new Uint32Array(2 * capacity);

  const slotOf = (id: Uint32Array): number => {
    let slot = (id[0] ?? 0) % slots.length;
    for (;;) {
      const held = slots[slot] ?? 0;
      if (held === 0 || isAt(ids, held - 1, id)) return slot;
      slot = (slot + 1) % slots.length;
    }
  };

  const grow = (): void => {
    capacity *= 2;
    ids = widened(ids, new Uint32Array(ID_WORDS * capacity));
    digests = widened(digests, new Uint32Array(DIGEST_WORDS * capacity));
    places = widened(places, new Float64Array(capacity));
    marks = widened(marks, new Uint8Array(capacity));
    slots = new Uint32Array(2 * capacity);
    for (let number = 0; number < size; number += 1)
      slots[slotOf(ids.subarray(ID_WORDS * number, ID_WORDS * (number + 1)))] = number + 1;
  };

  return {
    get size() {
      return size;
    },
    add(id, payload) {
      if (size === capacity) grow();
      const words = wordsOf(id, ID_WORDS);
      const slot = slotOf(words);
      if (slots[slot] !== 0) return undefined;
      slots[slot] = size + 1;
      ids.set(words, ID_WORDS * size);
      if (payload !== undefined) digests.set(wordsOf(payload, DIGEST_WORDS), DIGEST_WORDS * size);
      size += 1;
      return size - 1;
    },
    numberOf(id) {
      const held = slots[slotOf(wordsOf(id, ID_WORDS))] ?? 0;
      return held === 0 ? undefined : held - 1;
    },
    hasPayload(number, payload) {
      const words = wordsOf(payload, DIGEST_WORDS);
      return words.every((word, i) => digests[DIGEST_WORDS * number + i] === word);
    },
    mark(number, mark) {
      const before = marks[number] ?? 0;
      marks[number] = before | mark;
      return (before & mark) === 0;
    },
    isMarked: (number, mark) => ((marks[number] ?? 0) & mark) !== 0,
    placeOf: (number) => places[number] ?? 0,
    setPlace(number, place) {
      places[number] = place;
    },
  };
}

function wordsOf(text: string, count: number): Uint32Array {
  const digest = createHash('sha256').update(text).digest();
  return Uint32Array.from({ length: count }, (_, i) => digest.readUInt32LE(4 * i));
}

function isAt(ids: Uint32Array, number: number, id: Uint32Array): boolean {
  return id.every((word, i) => ids[ID_WORDS * number + i] === word);
}

function widened<T extends Uint32Array | Float64Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
