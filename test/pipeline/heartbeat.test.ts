import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import type { PublishedRecord, StreamStatus } from '../../src/core/records.ts';
import { Heartbeat } from '../../src/pipeline/heartbeat.ts';
import { createStatusRecorder } from '../../src/pipeline/stream-status.ts';
import { streamStatus } from '../support/records.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 22, 10) });
});
afterEach(() => {
  vi.useRealTimers();
});

const status = (n: number, more: Partial<StreamStatus> = {}) => streamStatus({ n, ...more }).payload;

function beating(append: (records: readonly PublishedRecord[]) => Promise<unknown>) {
  const seen: StreamStatus[] = [];
  const heartbeat = new Heartbeat({
    ...{ log: { append }, logger: silentLogger, intervalMs: 8000 },
    onStatus: (repeated) => seen.push(repeated),
  });
  const stop = new AbortController();
  const ended = heartbeat.run(stop.signal);
  return {
    ...{ heartbeat, seen },
    end: async (): Promise<void> => {
      stop.abort();
      await ended;
    },
  };
}

test('the last state of each stream is repeated, with an id of its own and a later expiry', async () => {
  const appended: (readonly PublishedRecord[])[] = [];
  const { heartbeat, seen, end } = beating((records) => Promise.resolve(appended.push(records)));
  const up = status(1, { detail: 'kept', valid_until: '2026-11-22T10:00:25.000Z' });
  heartbeat.onStatus(status(0, { state: 'connecting' }));
  heartbeat.onStatus(up);
  heartbeat.onStatus(status(2, { state: 'gap' }));
  heartbeat.onStatus(status(3, { stream_id: 'cam-2', state: 'down' }));
  await vi.advanceTimersByTimeAsync(16_000);
  await end();

  expect(appended.map((records) => records.map(({ payload }) => payload))).toEqual([
    seen.slice(0, 2),
    seen.slice(2),
  ]);
  const repeat = { ...up, repeats: up.status_id };
  expect(seen.filter(({ stream_id: id }) => id === 'cam-1')).toEqual([
    { ...repeat, status_id: expect.any(String) as string, valid_until: '2026-11-22T10:00:33.000Z' },
    { ...repeat, status_id: expect.any(String) as string, valid_until: '2026-11-22T10:00:41.000Z' },
  ]);
  expect(new Set([...seen, up].map(({ status_id: id }) => id)).size).toBe(5);
});

test('a stream that has ended, or was removed, is not repeated', async () => {
  const { heartbeat, seen, end } = beating(() => Promise.resolve());
  for (const stream_id of ['ended', 'removed']) heartbeat.onStatus(status(0, { stream_id }));
  heartbeat.onStatus(status(1, { stream_id: 'ended', state: 'ended' }));
  heartbeat.forget('removed');
  await vi.advanceTimersByTimeAsync(30_000);
  await end();

  expect(seen).toEqual([]);
});

test('a journal without room holds one repetition, not one more every eight seconds', async () => {
  let makeRoom = (): void => undefined;
  const append = vi.fn(() => new Promise<void>((resolve) => (makeRoom = resolve)));
  const { heartbeat, end } = beating(append);
  heartbeat.onStatus(status(0));
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(append).toHaveBeenCalledTimes(1);
  makeRoom();
  await vi.advanceTimersByTimeAsync(8000);
  expect(append).toHaveBeenCalledTimes(2);
  makeRoom();
  await end();
});

test('a state expires within half a minute, the end of a stream never', () => {
  const now = Date.UTC(2026, 10, 22, 10);
  const recorder = createStatusRecorder(
    { streamId: 'cam-1', pipeline: { instance: 'test', version: '0' }, startedAtMs: 0 },
    () => now,
  );
  const transition = { streamId: 'cam-1', atMs: now - 60_000, reason: 'first_frame' };
  const until = '2026-11-22T10:00:25.000Z';

  expect(recorder.transition({ ...transition, state: 'up' })).toMatchObject({ valid_until: until });
  expect(recorder.gap({ streamId: 'cam-1', fromMs: 0, toMs: 1, reason: 'exit' }).valid_until).toBe(until);
  expect(recorder.transition({ ...transition, state: 'ended' })).not.toHaveProperty('valid_until');
});
