import { expect } from 'vitest';
import { runCli } from '../support/cli.ts';

// What people give by mistake: the exit code, and one message that names the thing, the place and the remedy.

export const TINY = '--model s3d-g --width 0.125 --frames 4 --size 32 --classes 2 --engine null'.split(' ');

export interface Wrong {
  readonly what: string;
  readonly args: () => readonly string[];
  readonly code: number;
  readonly says: readonly (string | RegExp)[];
}

export async function expectRefused({ args, code, says }: Wrong): Promise<void> {
  const result = await runCli(args());
  for (const text of says) expect(result.stderr).toMatch(text);
  expect(result.stderr, 'no stack trace').not.toMatch(/^\s+at .*:\d+:\d+/m);
  expect({ code: result.code, stdout: result.stdout }).toEqual({ code, stdout: '' });
}
