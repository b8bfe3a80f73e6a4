import { expect, test } from 'vitest';
import { createProgressWaiters } from '../../src/sink/progress-waiters.ts';

/** So long that a test which waits for it fails. */
const FOREVER_MS = 600_000;

test('a wait ends with the progress that it waits for', async () => {
  const waiters = createProgressWaiters();
  let done = false;
  const waiting = waiters.until(() => done, FOREVER_MS);

  waiters.wake();
  done = true;
  waiters.wake();

  expect(await waiting).toBe(true);
});

test('the abort ends a wait, and no timer is left', async () => {
  const waiters = createProgressWaiters();
  const signal = new AbortController();
  const before = timers();
  const waiting = waiters.until(() => false, FOREVER_MS, signal.signal);
  expect(timers()).toBe(before + 1);

  signal.abort();

  expect(await waiting).toBe(false);
  expect(timers()).toBe(before);
  expect(await waiters.until(() => false, FOREVER_MS, signal.signal)).toBe(false);
});

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}
