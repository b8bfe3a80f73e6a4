import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test, vi } from 'vitest';

const HOLDER = join(import.meta.dirname, '..', '..', 'fixtures', 'child', 'hold-postgres.ts');

test('a local server does not outlive an owner that is killed with SIGKILL', async () => {
  const owner = spawn(process.execPath, ['--import', 'tsx', HOLDER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    owner.kill('SIGKILL');
  });
  const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
  const server = Number(line);
  expect(isRunning(server)).toBe(true);

  owner.kill('SIGKILL');

  await vi.waitFor(
    () => {
      expect(isRunning(server)).toBe(false);
    },
    { timeout: 60_000 },
  );
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    readlinkSync(`/proc/${pid}/exe`);
    return true;
  } catch {
    return false;
  }
}
