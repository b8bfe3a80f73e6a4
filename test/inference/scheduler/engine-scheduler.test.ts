import { describe, expect, it } from 'vitest';
import type { EngineInfo, InferenceEngine } from '../../../src/inference/engine.ts';
import { EngineScheduler } from '../../../src/inference/scheduler/engine-scheduler.ts';
import { clipOf, closingSchedulers, model, sampler } from './small-clips.ts';
import { createNullEngine } from '../../support/own-engines.ts';

const owned = closingSchedulers();

/** Null engines, each of which notes what it is given, and takes so long. */
function schedulerOf(delaysMs: readonly number[], reuse?: EngineInfo['reuse']) {
  const served: { readonly engine: number; readonly clipId: string }[] = [];
  const closed: string[] = [];
  const engines = delaysMs.map((delayMs, index): InferenceEngine => {
    const engine = createNullEngine(model, { delayMs });
    return {
      ...engine,
      info: { ...engine.info, ...(reuse && { reuse }) },
      inferBatch(batch) {
        served.push(...batch.map(({ clip: { clipId } }) => ({ engine: index, clipId })));
        return engine.inferBatch(batch);
      },
      closeStream(streamId) {
        closed.push(`${streamId} at ${index}`);
      },
    };
  });
  const scheduler = new EngineScheduler(engines);
  owned.push(scheduler);
  return { scheduler, served, closed };
}

describe('engine scheduler', () => {
  it('keeps a stream with many clips from starving another', async () => {
    const { scheduler, served } = schedulerOf([5]);
    const [greedy, modest] = [scheduler.engineFor('greedy'), scheduler.engineFor('modest')];
    const backlog = Array.from({ length: 8 }, (_, i) => greedy.infer(clipOf(`greedy-${i}`), { sampler }));

    await modest.infer(clipOf('modest'), { sampler });
    const position = served.findIndex(({ clipId }) => clipId === 'modest');
    await Promise.all(backlog);

    expect(position).toBeLessThanOrEqual(2);
    expect(served.filter(({ clipId }) => clipId.startsWith('greedy')).map(({ clipId }) => clipId)).toEqual(
      Array.from({ length: 8 }, (_, i) => `greedy-${i}`),
    );
  });

  it('uses every engine, and keeps a stream with the one that knows it', async () => {
    const { scheduler, served } = schedulerOf([2, 2]);
    const streams = ['a', 'b'].map((id) => scheduler.engineFor(id));

    for (let i = 0; i < 5; i++) {
      await Promise.all(
        streams.map((stream, s) => stream.infer(clipOf(`${'ab'[s] ?? ''}-${i}`), { sampler })),
      );
    }

    const enginesOf = (id: string): ReadonlySet<number> =>
      new Set(served.filter(({ clipId }) => clipId.startsWith(id)).map(({ engine }) => engine));
    expect(enginesOf('a')).toEqual(new Set([0]));
    expect(enginesOf('b')).toEqual(new Set([1]));
  });

  it('lets an idle engine take over a stream whose own engine is busy', async () => {
    const { scheduler, served, closed } = schedulerOf([100, 1]);
    const [a, b, c] = ['a', 'b', 'c'].map((id) => scheduler.engineFor(id));
    const slow = a?.infer(clipOf('a-0'), { sampler });
    await b?.infer(clipOf('b-0'), { sampler });

    await c?.infer(clipOf('c-0'), { sampler });
    await slow;

    expect(served.find(({ clipId }) => clipId === 'c-0')?.engine).toBe(1);
    expect(closed).toEqual(['c at 0']);
    c?.leave();
    expect(closed).toContain('c at 1');
  });

  it('never moves a pinned stream between engines that remember it', async () => {
    const { scheduler, served } = schedulerOf([60, 1], {
      ...{ contextFrames: 0, frameStep: 2, bytesPerStream: 0, maxStreams: 8 },
    });
    const [a, b, c] = ['a', 'b', 'c'].map((id) => scheduler.engineFor(id, { pinned: true }));
    const slow = a?.infer(clipOf('a-0'), { sampler });
    await b?.infer(clipOf('b-0'), { sampler });

    await c?.infer(clipOf('c-0'), { sampler });
    await slow;

    expect(served.find(({ clipId }) => clipId === 'c-0')?.engine).toBe(0);
  });

  it('passes a failure on to its own stream only', async () => {
    const { scheduler } = schedulerOf([1]);
    const wrong = { ...clipOf('wrong'), frames: 3 };

    const [failed, fine] = await Promise.allSettled([
      scheduler.engineFor('a').infer(wrong, { sampler }),
      scheduler.engineFor('b').infer(clipOf('right'), { sampler }),
    ]);

    expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'INPUT_INVALID' } });
    expect(fine.status).toBe('fulfilled');
  });

  it('gives up a waiting clip at once when told to, and every clip on dispose', async () => {
    const { scheduler, served } = schedulerOf([1000]);
    const controller = new AbortController();
    const running = scheduler.engineFor('a').infer(clipOf('running'), { sampler });
    const waiting = scheduler.engineFor('b').infer(clipOf('waiting'), { sampler, signal: controller.signal });
    const left = scheduler.engineFor('c').infer(clipOf('left'), { sampler });
    const all = Promise.allSettled([running, left]);
    await Promise.resolve();

    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    await scheduler[Symbol.asyncDispose]();

    expect(served.map(({ clipId }) => clipId)).not.toContain('waiting');
    for (const outcome of await all) expect(outcome).toMatchObject({ reason: { code: 'ABORTED' } });
  });

  it('scores clips again only while no clip waits, on the engine that keeps them', async () => {
    const { scheduler, served } = schedulerOf([5, 5]);
    const [a, b] = [scheduler.engineFor('a'), scheduler.engineFor('b')];
    await a.infer(clipOf('a-0'), { sampler, maps: 'keep' });

    const clips = [0, 1, 2, 3].map((i) => b.infer(clipOf(`b-${i}`), { sampler }));
    const first = a.infer(clipOf('a-1'), { sampler });
    const again = [1, 2].map(() => a.inferAgain({ ...clipOf('a-0'), data: new Uint8Array() }, { sampler }));
    const second = a.infer(clipOf('a-2'), { sampler });
    await Promise.all([...clips, ...again, first, second]);
    a.forgetMaps('a-0');

    const atA = served.filter(({ engine }) => engine === 0).map(({ clipId }) => clipId);
    expect(atA.slice(0, 3)).toEqual(['a-0', 'a-1', 'a-2']);
    expect(atA.filter((id) => id === 'a-0')).toHaveLength(3);
    await expect(a.inferAgain(clipOf('a-0'), { sampler })).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
  });

  it('keeps the maps of a few clips, and none of a stream that has ended', async () => {
    const { scheduler } = schedulerOf([0]);
    const [a, b] = [scheduler.engineFor('a'), scheduler.engineFor('b')];
    for (const [stream, id] of [
      [a, 'a-0'],
      [b, 'b-0'],
    ] as const) {
      expect(stream.mayKeep()).toBe(true);
      await stream.infer(clipOf(id), { sampler, maps: 'keep' });
    }
    expect(a.mayKeep()).toBe(false);

    a.leave();

    expect(b.mayKeep()).toBe(true);
    await b.inferAgain(clipOf('b-0'), { sampler });
    await expect(b.inferAgain(clipOf('a-0'), { sampler })).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
  });

  it('gives up what waits to be scored again when its caller does, and when it closes', async () => {
    const { scheduler } = schedulerOf([20]);
    const a = scheduler.engineFor('a');
    await a.infer(clipOf('a-0'), { sampler, maps: 'keep' });
    const abort = new AbortController();
    const clips = [1, 2].map((i) => a.infer(clipOf(`a-${i}`), { sampler }));
    const given = a.inferAgain(clipOf('a-0'), { sampler, signal: abort.signal });
    const left = a.inferAgain(clipOf('a-0'), { sampler });
    const outcomes = Promise.allSettled([...clips, left]);

    abort.abort();
    await expect(given).rejects.toMatchObject({ code: 'ABORTED' });
    await scheduler[Symbol.asyncDispose]();

    expect((await outcomes).at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'ABORTED' } });
  });
});
