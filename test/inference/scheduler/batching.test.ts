import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { InferenceEngine } from '../../../src/inference/engine.ts';
import { waitForMore, type Batching } from '../../../src/inference/scheduler/batching.ts';
import { EngineScheduler } from '../../../src/inference/scheduler/engine-scheduler.ts';
import { clipOf, closingSchedulers, model, sampler } from './small-clips.ts';
import { createNullEngine } from '../../support/own-engines.ts';

/** So long that a test which waits for it fails. */
const FOREVER_MS = 600_000;

const owned = closingSchedulers();

/** A null engine that notes the clips of each call. */
function schedulerOf(batching: Batching, { exact = true, delayMs = 0 } = {}) {
  const engine = createNullEngine(model, { maxClips: 8, delayMs });
  const batches: string[][] = [];
  const noting: InferenceEngine = {
    ...engine,
    info: { ...engine.info, batch: { maxClips: 8, exact } },
    inferBatch(calls) {
      batches.push(calls.map(({ clip }) => clip.clipId));
      return engine.inferBatch(calls);
    },
  };
  const scheduler = new EngineScheduler([noting], batching);
  owned.push(scheduler);
  return { scheduler, batches };
}

describe('an idle engine', () => {
  it('takes as many clips as may be, of different streams, and begins as soon as it has them', async () => {
    const { scheduler, batches } = schedulerOf({ maxClips: 3, maxWaitMs: FOREVER_MS });
    const streams = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => scheduler.engineFor(id));

    await Promise.all(streams.map((stream, n) => stream.infer(clipOf('abcdef'[n]!), { sampler })));

    expect(batches).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e', 'f'],
    ]);
    expect(scheduler.read().calls).toEqual([0, 0, 2]);
  });

  it('takes one clip of a stream at a time, and of the others those first that had the least', async () => {
    const { scheduler, batches } = schedulerOf({ maxClips: 2, maxWaitMs: 0 }, { delayMs: 5 });
    const [greedy, b, c] = ['greedy', 'b', 'c'].map((id) => scheduler.engineFor(id));
    const backlog = Array.from({ length: 4 }, (_, n) => greedy!.infer(clipOf(`greedy-${n}`), { sampler }));
    const others = [b!.infer(clipOf('b'), { sampler }), c!.infer(clipOf('c'), { sampler })];

    await Promise.all([...backlog, ...others]);

    for (const batch of batches) expect(batch.filter((id) => id.startsWith('greedy')).length).toBeLessThan(2);
    const place = (id: string): number => batches.findIndex((batch) => batch.includes(id));
    expect(Math.max(place('b'), place('c'))).toBeLessThanOrEqual(1);
    expect(place('greedy-3')).toBe(batches.length - 1);
  });

  it('waits for more no longer than it may', async () => {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { scheduler, batches } = schedulerOf({ maxClips: 3, maxWaitMs: 40 });
    const [a] = ['a', 'b'].map((id) => scheduler.engineFor(id));

    const inferred = a!.infer(clipOf('a'), { sampler });
    await vi.advanceTimersByTimeAsync(39);
    expect(batches).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);

    expect(batches).toEqual([['a']]);
    await inferred;
  });

  it('does not wait where no other stream could bring a clip: none is there, all wait, the last one leaves', async () => {
    const { scheduler, batches } = schedulerOf({ maxClips: 4, maxWaitMs: FOREVER_MS });
    const a = scheduler.engineFor('a');
    await a.infer(clipOf('alone'), { sampler });

    const b = scheduler.engineFor('b');
    await Promise.all([a.infer(clipOf('a-0'), { sampler }), b.infer(clipOf('b-0'), { sampler })]);

    const waiting = a.infer(clipOf('a-1'), { sampler });
    await Promise.resolve();
    b.leave();
    await waiting;

    // Stream b has had less.
    expect(batches).toEqual([['alone'], ['b-0', 'a-0'], ['a-1']]);
  });

  it('does not hold clips of an earlier stream for one whose clip was given up', async () => {
    const { scheduler, batches } = schedulerOf({ maxClips: 3, maxWaitMs: FOREVER_MS });
    const [a, b] = ['a', 'b', 'c'].map((id) => scheduler.engineFor(id));
    const abort = new AbortController();
    const given = a!.infer(clipOf('a'), { sampler, signal: abort.signal });
    const kept = b!.infer(clipOf('b'), { sampler });
    await Promise.resolve();

    abort.abort();
    await expect(given).rejects.toMatchObject({ code: 'ABORTED' });
    scheduler.engineFor('a').leave();
    scheduler.engineFor('c').leave();
    await kept;

    expect(batches).toEqual([['b']]);
  });

  it('computes pinned clips by themselves where their bits would depend on others', async () => {
    const { scheduler, batches } = schedulerOf({ maxClips: 4, maxWaitMs: FOREVER_MS }, { exact: false });
    const files = ['a', 'b'].map((id) => scheduler.engineFor(id, { pinned: true }));
    const exact = schedulerOf({ maxClips: 4, maxWaitMs: FOREVER_MS });
    const exactFiles = ['a', 'b'].map((id) => exact.scheduler.engineFor(id, { pinned: true }));

    await Promise.all(files.map((file, n) => file.infer(clipOf('ab'[n]!), { sampler })));
    await Promise.all(exactFiles.map((file, n) => file.infer(clipOf('ab'[n]!), { sampler })));

    expect(batches).toEqual([['a'], ['b']]);
    expect(exact.batches).toEqual([['a', 'b']]);
  });
});

it('waits as long as is left to the oldest clip', () => {
  const batching = { maxClips: 3, maxWaitMs: 10 };

  expect(waitForMore(batching, [100, 95], { others: 1, nowMs: 102 })).toBe(3);
  expect(waitForMore(batching, [100, 90], { others: 1, nowMs: 102 })).toBe(0);
  expect(waitForMore(batching, [100, 101, 102], { others: 1, nowMs: 102 })).toBe(0);
  expect(waitForMore(batching, [100], { others: 0, nowMs: 102 })).toBe(0);
});
