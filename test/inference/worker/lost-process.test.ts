import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { descendantsOf } from '../../support/processes.ts';
import { clipOf, listening, NONE, openWorker, ownFolder, UNRELIABLE } from './small-worker.ts';

const folder = ownFolder();

describe('a process that is lost', () => {
  for (const deed of ['exit', 'kill', 'throw']) {
    test(`by ${deed} is replaced, and its clip tried once more`, async () => {
      const lost: object[] = [];
      await using engine = await openWorker({ entryUrl: UNRELIABLE, logger: listening(lost) });
      const marker = join(folder(), 'marker');

      const [first, second] = await Promise.all([
        engine.infer(clipOf(`${deed}-once:${marker}`), { sampler: NONE }),
        engine.infer(clipOf('next'), { sampler: NONE }),
      ]);

      expect([first.clipId, second.clipId]).toEqual([`${deed}-once:${marker}`, 'next']);
      expect(lost).toEqual([expect.objectContaining({ clipId: `${deed}-once:${marker}`, attempt: 1 })]);
      expect(engine.losses?.()).toEqual({ restarts: 1, retries: 1 });
    });
  }

  test('under a batch is replaced, and all its clips are tried once more, one by one', async () => {
    const lost: object[] = [];
    await using engine = await openWorker({ entryUrl: UNRELIABLE, logger: listening(lost) });
    const ids = ['a', 'exit-always', 'b'];

    const outcomes = await Promise.allSettled(
      engine.inferBatch(ids.map((id) => ({ clip: clipOf(id), sampler: NONE }))),
    );

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({
      reason: { code: 'ENGINE_FAILED', message: expect.stringMatching(/clip exit-always: 2 /) as string },
    });
    expect(lost[0]).toMatchObject({ clipIds: ids, attempt: 1 });
    expect(engine.losses?.().restarts).toBe(2);
  });

  test('twice by the same clip gives that clip up as retryable, and the next one runs', async () => {
    const lost: object[] = [];
    await using engine = await openWorker({ entryUrl: UNRELIABLE, logger: listening(lost) });

    const deadly = engine.infer(clipOf('exit-always'), { sampler: NONE });
    const next = engine.infer(clipOf('next'), { sampler: NONE });

    await expect(deadly).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      retryable: true,
      message: expect.stringMatching(/clip exit-always: 2 .* code 7/) as string,
    });
    expect((await next).clipId).toBe('next');
    expect(lost).toHaveLength(2);
    expect(engine.losses?.()).toEqual({ restarts: 2, retries: 1 });
  });

  test('again and again is replaced after pauses that grow until one has answered', async () => {
    const warned: { readonly restart_in_ms?: number }[] = [];
    await using engine = await openWorker({
      entryUrl: UNRELIABLE,
      logger: { ...silentLogger, warn: (fields) => warned.push(fields) },
    });

    for (let clip = 0; clip < 2; clip++)
      await expect(engine.infer(clipOf('exit-always'), { sampler: NONE })).rejects.toThrow();
    await engine.infer(clipOf('well'), { sampler: NONE });
    const [first = NaN, second = NaN, third = NaN] = warned.map(({ restart_in_ms: ms }) => ms);

    expect(warned).toHaveLength(3);
    expect(second).toBeGreaterThan(first);
    expect(third).toBeGreaterThan(second);

    await expect(engine.infer(clipOf('exit-always'), { sampler: NONE })).rejects.toThrow();
    await engine.infer(clipOf('well'), { sampler: NONE });
    expect(warned[3]?.restart_in_ms).toBeLessThan(second);
  });

  test('during a pause a call can be aborted', async () => {
    const interrupt = new AbortController();
    await using engine = await openWorker({
      entryUrl: UNRELIABLE,
      logger: {
        ...silentLogger,
        warn: () => {
          interrupt.abort();
        },
      },
    });
    await expect(engine.infer(clipOf('exit-always'), { sampler: NONE })).rejects.toThrow();

    const waiting = engine.infer(clipOf('next'), { sampler: NONE, signal: interrupt.signal });

    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    expect(engine.losses?.().restarts).toBe(1);
  });
});

test('a TensorFlow engine that is killed is replaced, and its clip tried once more', async () => {
  const lost: object[] = [];
  const network = { widthMultiplier: 0.5, frames: 16, height: 112, width: 112, classes: 3 };
  await using engine = await openWorker({ kind: 'tfjs', network, logger: listening(lost) });
  const [child] = (await descendantsOf(process.pid)).filter(({ command }) => command.includes('entry.js'));
  const running = engine.infer(clipOf('big', network), { sampler: NONE });

  process.kill(child!.pid, 'SIGKILL');

  expect((await running).clipId).toBe('big');
  expect(lost).toEqual([expect.objectContaining({ clipId: 'big', attempt: 1 })]);
});
