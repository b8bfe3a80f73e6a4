import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { env } from 'node:process';
import { expect, test } from 'vitest';

/**
 * Training interprets the product's own description of a network; its tests
 * hold it to the goldens that the engines are held to.
 */
const TRAINING = new URL('../../training/', import.meta.url);
const FILES = readdirSync(TRAINING).filter((name) => /^test_.*\.py$/.test(name));
const PYTHONS = [env['PYTHON'], '.venv/bin/python', 'python3'].filter((name) => name !== undefined);

const torch = await firstThatRuns(['-c', 'import numpy, safetensors, torch']);
const ruff = await firstThatRuns(['-m', 'ruff', '--version']);

test.skipIf(torch === undefined).each(FILES)(
  torch === undefined ? '%s: not run, no Python with torch (PYTHON names one)' : '%s',
  async (file) => {
    const { code, output } = await run(torch ?? '', [`training/${file}`]);

    expect(code, output.slice(-4000)).toBe(0);
  },
  600_000,
);

test.skipIf(ruff === undefined).each([
  ['lint', ['check']],
  ['formatting', ['format', '--check']],
] as const)(
  ruff === undefined ? '%s: not run, no Python with ruff (PYTHON names one)' : '%s of the Python',
  async (_, command) => {
    for (const folder of ['training', 'tools/goldens']) {
      const rules = ['--config', 'training/pyproject.toml', '--no-cache'];
      const { code, output } = await run(ruff ?? '', ['-m', 'ruff', ...command, ...rules, folder]);

      expect(code, output.slice(-4000)).toBe(0);
    }
  },
);

async function firstThatRuns(args: readonly string[]): Promise<string | undefined> {
  for (const python of PYTHONS) {
    if ((await run(python, args)).code === 0) return python;
  }
  return undefined;
}

/** Code −1 where the program is not there. */
async function run(
  program: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(program, args, {
    cwd: new URL('../../', import.meta.url),
    env: { ...env, OMP_NUM_THREADS: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = once(child, 'close') as Promise<[number | null]>;
  try {
    const [code] = await ended;
    return { code, output };
  } catch (error) {
    return { code: -1, output: String(error) };
  }
}
