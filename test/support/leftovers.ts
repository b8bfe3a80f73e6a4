import { afterAll, beforeAll, expect, vi } from 'vitest';
import { descendantsOf, type RunningProcess } from './processes.ts';

/**
 * Fails the test file when, at its end, a process still runs that it started, or one below such a process.
 */
export function demandNoLeftovers(): void {
  let before: readonly RunningProcess[] = [];
  beforeAll(async () => {
    before = await descendantsOf(process.pid);
  });
  // Hooks end in reverse order: this one comes after whatever the file itself cleans up.
  afterAll(async () => {
    const own = ({ pid }: RunningProcess): boolean => !before.some((known) => known.pid === pid);
    await vi.waitFor(
      async () => {
        expect((await descendantsOf(process.pid)).filter(own)).toEqual([]);
      },
      { timeout: 60_000, interval: 100 },
    );
  });
}
