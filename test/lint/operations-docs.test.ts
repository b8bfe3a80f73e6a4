import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TRIALS } from '../chaos/trials.ts';

const page = readFileSync('docs/operations.md', 'utf8');
/** `[part of a test's title](../test/….test.ts)` */
const proofs = Array.from(page.matchAll(/\[([^\]]+)\]\(\.\.\/(test\/[^)]+\.test\.ts)\)/g)).map(
  ([, title = '', file = '']) => [file, title] as const,
);

/** `[name of a trial](../test/chaos/…-trials.ts)`, in the order of files and names. */
const tried = Array.from(
  page.matchAll(/\[([^\]]+)\]\(\.\.\/test\/chaos\/([^)]+)-trials\.ts\)/g),
  ([, name = '', file = '']) => `${file}: ${name}`,
).sort();

describe('docs/operations.md', () => {
  it('names each chaos trial once, with its file', () => {
    const trials = Object.entries(TRIALS).flatMap(([file, list]) =>
      list.map(({ name }) => `${file}: ${name}`),
    );

    expect(tried).toEqual(trials.sort());
  });

  it.each(proofs)('%s › %s is there', (file, title) => {
    expect(existsSync(file), `${file} is gone: name the test that shows the promise now`).toBe(true);
    expect(readFileSync(file, 'utf8'), 'no test of that title; the promise needs one').toContain(title);
  });

  it('names a test for each state of a stream, the engine, a sink and the journal', () => {
    const states = page.split('\n').filter((line, index, lines) => isRow(line) && isProven(lines, index));

    expect(states.length).toBeGreaterThan(50);
    expect(states.filter((row) => !/\]\(\.\.\/test\/[^)]+\) *\|$/.test(row))).toEqual([]);
  });
});

function isRow(line: string): boolean {
  return /^\| (?!-)/.test(line);
}

/** Whether the table around a line has the column `shown by`, below whose header the line stands. */
function isProven(lines: readonly string[], index: number): boolean {
  let top = index;
  while (lines[top - 1]?.startsWith('|')) top -= 1;
  return top < index && / shown by +\|$/.test(lines[top] ?? '');
}
