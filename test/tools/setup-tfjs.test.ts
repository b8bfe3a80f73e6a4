import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';

// What it refuses before it downloads anything; that it works, the engines that are tested with it show.
function setUp(args: readonly string[], env: Readonly<Record<string, string>>) {
  const { status, stderr } = spawnSync(process.execPath, ['tools/setup-tfjs.mjs', ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stderr };
}

describe('setup:tfjs', () => {
  test('names the missing compiler and the package that brings it', () => {
    const result = setUp(['--force'], { CXX: 'no-such-compiler' });

    // On other systems than Linux on x64 it says that first.
    expect(result.stderr).toMatch(
      /no-such-compiler is missing \(Debian: apt-get install build-essential\)|for Linux on x64/,
    );
    expect(result.status).toBe(3);
  });

  test('--if-possible leaves out what this machine cannot build, in one line and without failing', () => {
    const result = setUp(['--force', '--if-possible'], { CXX: 'no-such-compiler' });

    expect(result.stderr.trim().split('\n')).toEqual([expect.stringContaining('setup:tfjs: left out: ')]);
    expect(result.status).toBe(0);
  });

  test('wants one kind of build', () => {
    const result = setUp(['--cpu', '--gpu'], {});

    expect(result.stderr).toContain('--cpu or --gpu, not both');
    expect(result.status).toBe(2);
  });
});
