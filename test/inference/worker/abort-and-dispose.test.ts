import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { builtFile } from '../../support/built.ts';
import { clipOf, fileAppears, isRunning, NONE, openWorker, ownFolder, UNRELIABLE } from './small-worker.ts';

const folder = ownFolder();
const OWNER = new URL('../../fixtures/inference-worker/owner.mjs', import.meta.url);

describe('abort', () => {
  test('rejects a running call at once and leaves the engine usable', async () => {
    await using engine = await openWorker({ entryUrl: UNRELIABLE });
    const controller = new AbortController();
    const { signal } = controller;
    const marker = join(folder(), 'marker');
    const appeared = fileAppears(marker);
    const running = engine.infer(clipOf(`hold-once:${marker}`), { sampler: NONE, signal });
    const waiting = engine.infer(clipOf('b'), { sampler: NONE, signal });
    const settled = Promise.allSettled([running, waiting]);
    await appeared;

    controller.abort();
    await settled;

    // The process still computes the clip: nobody has let it go on.
    await writeFile(`${marker}.release`, '');
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    expect((await engine.infer(clipOf('c'), { sampler: NONE })).clipId).toBe('c');
  });

  test('of one clip of a batch rejects it at once, and the others are answered', async () => {
    await using engine = await openWorker({ entryUrl: UNRELIABLE });
    const controller = new AbortController();
    const marker = join(folder(), 'marker');
    const appeared = fileAppears(marker);
    const [first, second] = engine.inferBatch([
      { clip: clipOf(`hold-once:${marker}`), sampler: NONE },
      { clip: clipOf('b'), sampler: NONE, signal: controller.signal },
    ]);
    const rejected = expect(second).rejects.toMatchObject({ code: 'ABORTED' });
    await appeared;

    controller.abort();

    await rejected;
    await writeFile(`${marker}.release`, '');
    expect((await first!).clipId).toBe(`hold-once:${marker}`);
  });

  test('that came before the call rejects it', async () => {
    await using engine = await openWorker({ entryUrl: UNRELIABLE });

    const call = engine.infer(clipOf('a'), { sampler: NONE, signal: AbortSignal.abort() });

    await expect(call).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('dispose', () => {
  test('rejects what is pending, may be called twice, and refuses later calls', async () => {
    const engine = await openWorker({ kind: 'onnx' });
    const pending = [
      engine.infer(clipOf('a'), { sampler: NONE }),
      engine.infer(clipOf('b'), { sampler: NONE }),
    ];
    const outcomes = Promise.allSettled(pending);

    await Promise.all([engine[Symbol.asyncDispose](), engine[Symbol.asyncDispose]()]);
    await engine[Symbol.asyncDispose]();

    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ABORTED' } });
    }
    await expect(engine.infer(clipOf('c'), { sampler: NONE })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('an owner that is killed takes its process with it', async () => {
    builtFile('inference/worker/engine-server.js');
    const marker = join(folder(), 'marker');
    const appeared = fileAppears(marker);
    const owner = spawn(process.execPath, [fileURLToPath(OWNER), `block-once:${marker}`], {
      stdio: 'inherit',
    });
    await appeared;
    const pid = Number(await readFile(marker, 'utf8'));

    owner.kill('SIGKILL');

    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  test('ends a process that no longer answers', async () => {
    const engine = await openWorker({ entryUrl: UNRELIABLE });
    const marker = join(folder(), 'marker');
    const appeared = fileAppears(marker);
    const stuck = engine.infer(clipOf(`spin-once:${marker}`), { sampler: NONE });
    const outcome = expect(stuck).rejects.toMatchObject({ code: 'ABORTED' });
    await appeared;

    await engine[Symbol.asyncDispose]();

    expect(isRunning(Number(await readFile(marker, 'utf8')))).toBe(false);
    await outcome;
  });
});
