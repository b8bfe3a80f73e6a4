import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { createUntrainedModel } from '../../../src/inference/weights/untrained-model.ts';
import type { EngineSpec } from '../../../src/inference/worker/spec.ts';
import { createWorkerEngine } from '../../../src/inference/worker/worker-engine.ts';
import { createReferenceEngine } from '../../support/own-engines.ts';
import {
  clipOf,
  entry,
  fileAppears,
  NONE,
  openWorker,
  ownFolder,
  specOf,
  TINY,
  UNRELIABLE,
} from './small-worker.ts';

const folder = ownFolder();

describe('a process gives what the engine in it gives', () => {
  for (const kind of ['onnx', 'reference'] as const) {
    test(kind, async () => {
      const reference = createReferenceEngine(createUntrainedModel({ network: TINY, seed: 5 }));
      const clip = clipOf('a');
      const wanted = await reference.infer(clip, { sampler: NONE });
      await using engine = await openWorker({ kind });

      const found = await engine.infer(clip, { sampler: NONE });

      expect(engine.info).toMatchObject({
        ...reference.info,
        engine: kind,
        warmupMs: expect.any(Number) as number,
      });
      expect(found.plan).toEqual(wanted.plan);
      expectClose(found.logits, wanted.logits);
    });
  }

  test('pixels in shared memory and in plain memory score alike, and the caller keeps them', async () => {
    await using engine = await openWorker({ kind: 'onnx' });
    const plain = clipOf('plain');
    const shared = new Uint8Array(new SharedArrayBuffer(plain.data.length));
    shared.set(plain.data);

    const first = await engine.infer(plain, { sampler: NONE });
    const second = await engine.infer({ ...plain, data: shared }, { sampler: NONE });
    const third = await engine.infer(plain, { sampler: NONE });

    expect(second.logits).toEqual(first.logits);
    expect(third.logits).toEqual(first.logits);
    expect(plain.data).toEqual(clipOf('plain').data);
  });

  test('an error keeps its code', async () => {
    await using engine = await openWorker({ kind: 'onnx' });

    await expect(engine.infer({ ...clipOf('a'), frames: 3 }, { sampler: NONE })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('clip a') as string,
    });
    const sampled = engine.infer(clipOf('a'), { sampler: { kind: 'uniform', stride: 2 } });
    await expect(sampled).rejects.toMatchObject({ code: 'SAMPLER_INVALID' });
  });

  test('a model that cannot be opened is refused at the start, and no process is left', async () => {
    const spec: EngineSpec = { engine: 'onnx', model: { kind: 'file', path: join(folder(), 'no-model') } };

    const opened = createWorkerEngine({ entryUrl: entry(), spec, logger: silentLogger });

    await expect(opened).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });

  test('an entry that cannot run is refused at the start', async () => {
    const entryUrl = new URL('./absent.js', import.meta.url);

    const opened = createWorkerEngine({ entryUrl, spec: specOf('null'), logger: silentLogger });

    await expect(opened).rejects.toMatchObject({ code: 'ENGINE_FAILED', retryable: true });
  });
});

describe('calls', () => {
  test('are answered in the order in which they came', async () => {
    await using engine = await openWorker({ entryUrl: UNRELIABLE });
    const done: string[] = [];
    const ids = ['a', 'b', 'c', 'd', 'e'];

    const calls = ids.map(async (id) => {
      const { clipId } = await engine.infer(clipOf(id), { sampler: NONE });
      done.push(clipId);
    });
    await Promise.all(calls);

    expect(done).toEqual(ids);
  });

  // The clip ends only when this thread, free meanwhile, writes the file: computed here, it would never end.
  test('leave the event loop free: it turns while a clip is computed without a pause', async () => {
    await using engine = await openWorker({ entryUrl: UNRELIABLE });
    const marker = join(folder(), 'marker');
    const appeared = fileAppears(marker);
    let answered = false;
    const running = engine.infer(clipOf(`hold-once:${marker}`), { sampler: NONE }).then((result) => {
      answered = true;
      return result;
    });
    await appeared;

    for (let turn = 0; turn < 1000; turn++) await setImmediate();

    expect(answered).toBe(false);
    expect(Number(await readFile(marker, 'utf8'))).not.toBe(process.pid);
    await writeFile(`${marker}.release`, '');
    expect((await running).clipId).toBe(`hold-once:${marker}`);
  });
});

function expectClose(found: Float32Array, wanted: Float32Array): void {
  expect(found.length).toBe(wanted.length);
  found.forEach((value, i) => {
    expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-4);
  });
}
