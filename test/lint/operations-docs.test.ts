import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const page = readFileSync('docs/operations.md', 'utf8');
/** `[part of a test's title](../test/….test.ts)` */
const proofs = Array.from(page.matchAll(/\[([^\]]+)\]\(\.\.\/(test\/[^)]+\.test\.ts)\)/g)).map(
  ([, title = '', file = '']) => [file, title] as const,
);

describe('docs/operations.md', () => {
  it.each(proofs)('%s › %s is there', (file, title) => {
    expect(existsSync(file), `${file} is gone: name the test that shows the promise now`).toBe(true);
    expect(readFileSync(file, 'utf8'), 'no test of that title; the promise needs one').toContain(title);
  });

  it('names a test for each state of a stream, the engine, a sink and the journal', () => {
    const states = page.split('\n').filter((line, index, lines) => isRow(line) && isProven(lines, index));

    expect(states.length).toBeGreaterThan(30);
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
