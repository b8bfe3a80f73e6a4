import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openTensorFlow } from '../../../src/inference/engines/tfjs/tensorflow.ts';
import { noiseClip, shakenModel } from '../../support/shaken-model.ts';
import { createTfjsEngine } from '../../support/own-engines.ts';

const TINY = { widthMultiplier: 0.07, height: 32, width: 32, frames: 8, classes: 5 } as const;
const SGS = { after: 'Conv_2b', embedding: { kind: 'pooled', grid: 2 }, boundary: 'as_is' } as const;
const MODEL = shakenModel({ ...TINY, sgs: SGS });
const CLIP = noiseClip(MODEL);
const ORDERED = { kind: 'ordered', width: 0.3, distance: 'l2' } as const;

// The same library as the engine's: one in a process.
const { opened } = await openTensorFlow({ threads: 1 });
const count = (): number => opened.tf.memory().numTensors;

test('a clip leaves no tensor behind, whatever its sampler; dispose frees the rest, also twice', async () => {
  const before = count();
  const engine = await createTfjsEngine({ model: MODEL, threads: 1 });
  const ready = count();

  for (const sampler of [{ kind: 'none' }, ORDERED, { kind: 'uniform', stride: 2 }] as const) {
    await engine.infer(CLIP, { sampler });
    expect(count()).toBe(ready);
  }
  await engine[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();

  expect(ready).toBeGreaterThan(before);
  expect(count()).toBe(before);
});

test('clips of a stream leave no tensor behind: steps are kept in main memory', async () => {
  const network = { ...TINY, frames: 16, sgs: { ...SGS, boundary: 'nearest_complete' } } as const;
  const model = shakenModel(network);
  await using engine = await createTfjsEngine({ model, threads: 1 });
  const ready = count();
  const { data, ...clip } = noiseClip(model);
  const picture = data.length / network.frames;

  for (const firstFrame of [0, 4, 8]) {
    const before = data.slice(0, Math.min(firstFrame, 3) * picture);
    const stream = { id: 'a', segment: 0, firstFrame, before };
    const { compute } = await engine.infer({ ...clip, data, stream }, { sampler: ORDERED });

    expect(compute.inputSteps).toBe(8);
    expect(count()).toBe(ready);
  }
  engine.closeStream?.('a');

  expect(count()).toBe(ready);
});

test('a call that is aborted stops between stages and leaves no tensor behind', async () => {
  await using engine = await createTfjsEngine({ model: MODEL, threads: 1 });
  const ready = count();
  const abort = new AbortController();
  let turns = 0;
  const running = engine.infer(CLIP, { sampler: ORDERED, signal: abort.signal });
  const settled = running.then(
    () => 'answered',
    (error: unknown) => error,
  );

  // A few stages in: activations are alive.
  while (count() === ready && turns < 100) {
    await setImmediate();
    turns++;
  }
  abort.abort();

  expect(await settled).toMatchObject({ code: 'ABORTED' });
  expect(count()).toBe(ready);
  expect((await engine.infer(CLIP, { sampler: ORDERED })).clipId).toBe(CLIP.clipId);
});

test('a sampler that fails half way leaves no tensor behind, and the error names the clip', async () => {
  await using engine = await createTfjsEngine({ model: MODEL, threads: 1 });
  const ready = count();
  const wrong = { kind: 'reference', bins: 0, kernel: 'linear', distance: 'l2' } as const;

  await expect(engine.infer(CLIP, { sampler: wrong })).rejects.toBeInstanceOf(Error);

  expect(count()).toBe(ready);
});
