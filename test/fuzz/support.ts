import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { ActionstreamError } from '../../src/core/errors.ts';

/** Inputs a property: few by default, `npm run test:fuzz` tries many. */
export const RUNS = Number(process.env['FUZZ_RUNS'] ?? 60);

/** Inputs of properties that start processes or write files. */
export const SLOW_RUNS = Math.ceil(RUNS / 10);

/**
 * What code may do with any input: take it, or refuse it with an error of ours
 * that is no defect. Gives back what it took.
 */
export function refusesOrTakes<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    demandOurs(error);
    return undefined;
  }
}

export async function refusesOrResolves<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    demandOurs(error);
    return undefined;
  }
}

function demandOurs(error: unknown): void {
  if (error instanceof ActionstreamError && error.code !== 'INTERNAL') return;
  throw error;
}

/** Findings of earlier runs, kept: files of test/fuzz/corpus/<target>. */
export function corpusOf(target: string): readonly (readonly [name: string, bytes: Uint8Array])[] {
  const folder = join(import.meta.dirname, 'corpus', target);
  return readdirSync(folder)
    .sort()
    .map((name) => [name, readFileSync(join(folder, name))] as const);
}

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff];

const edit = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('set' as const), at: fc.nat(), value: fc.constantFrom(...INTERESTING) }),
  fc.record({
    kind: fc.constant('fill' as const),
    at: fc.nat(),
    count: fc.integer({ min: 1, max: 8 }),
    value: fc.constantFrom(...INTERESTING),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat(), count: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ kind: fc.constant('repeat' as const), at: fc.nat(), count: fc.integer({ min: 1, max: 64 }) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.nat(),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 16 }),
  }),
);

type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

/**
 * A sound input with a few things wrong: bits flipped, bytes set, removed,
 * repeated or inserted, the end cut off.
 */
export function damaged(
  sound: readonly Uint8Array[],
  places: 'anywhere' | 'head' = 'anywhere',
): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.constantFrom(...sound), fc.array(edit, { minLength: 1, maxLength: 6 }))
    .map(([bytes, edits]) => edits.reduce((changed, one) => apply(changed, one, places), bytes));
}

function apply(bytes: Uint8Array, one: Edit, places: 'anywhere' | 'head'): Uint8Array {
  if (bytes.length === 0) return bytes;
  // Headers and directories stand at both ends.
  const reach = places === 'head' ? Math.min(bytes.length, 512) : bytes.length;
  const at = one.at % 2 === 0 ? one.at % reach : bytes.length - 1 - (one.at % reach);
  const copy = Uint8Array.from(bytes);
  switch (one.kind) {
    case 'flip':
      copy[at] = (copy[at] ?? 0) ^ (1 << one.bit);
      return copy;
    case 'set':
      copy[at] = one.value;
      return copy;
    case 'fill':
      return copy.fill(one.value, at, at + one.count);
    case 'cut':
      return copy.subarray(0, at);
    case 'remove':
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at + one.count)]);
    case 'repeat':
      return Buffer.concat([copy.subarray(0, at + one.count), copy.subarray(at)]);
    case 'insert':
      return Buffer.concat([copy.subarray(0, at), one.bytes, copy.subarray(at)]);
  }
}

/** A sound text with words of its language put in, taken out or doubled, and single characters changed. */
export function garbled(sound: readonly string[], words: readonly string[]): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.nat(),
    remove: fc.nat(12),
    insert: fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary', maxLength: 4 })),
  });
  return fc.tuple(fc.constantFrom(...sound), fc.array(change, { maxLength: 8 })).map(([text, changes]) =>
    changes.reduce((garbled, { at, remove, insert }) => {
      const from = at % (garbled.length + 1);
      return garbled.slice(0, from) + insert + garbled.slice(from + remove);
    }, text),
  );
}

/** Runs `act` and demands that it left no more than `mebibytes` behind, garbage aside. */
export async function boundedMemory(mebibytes: number, act: () => Promise<void> | void): Promise<void> {
  const before = process.memoryUsage().rss;
  await act();
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  if (grown > mebibytes) throw new Error(`memory grew by ${grown.toFixed(0)} MiB, more than ${mebibytes}`);
}
