import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

/** A directory that goes with the test. */
export async function temporaryDirectory(): Promise<string> {
  const dir = await createDirectory();
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A directory that goes with the test file; there from the first hook on. */
export function fileDirectory(): () => string {
  let dir = '';
  beforeAll(async () => {
    dir = await createDirectory();
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));
  return () => dir;
}

/** A directory that its owner removes. */
export function createDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'actionstream-test-'));
}
