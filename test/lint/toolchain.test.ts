import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';

/** Rules that matter are executable: a breach fails the build like any other test. */
const CHECKS = [
  ['formatting (npm run format mends it)', 'prettier', ['--check', '.']],
  ['types', 'tsc', ['--noEmit']],
  ['types of the page', 'tsc', ['--noEmit', '-p', 'web']],
  ['types of the examples', 'tsc', ['--noEmit', '-p', 'examples']],
  ['lint', 'eslint', ['.']],
  ['layers', 'depcruise', ['src', 'web/src', '--config', '.dependency-cruiser.cjs']],
  ['dead code', 'knip', []],
  ['dead code of the shipped program', 'knip', ['--production']],
] as const;

describe('toolchain', () => {
  test.each(CHECKS)('%s', async (_, program, args) => {
    const child = spawn(`node_modules/.bin/${program}`, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));

    const [code] = (await once(child, 'close')) as [number | null];

    expect(code, output.slice(-4000)).toBe(0);
  });
});
