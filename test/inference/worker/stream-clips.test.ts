import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { createOnnxEngine } from '../../../src/inference/engines/onnx/onnx-engine.ts';
import type { PixelClip } from '../../../src/inference/engine.ts';
import { createUntrainedModel } from '../../../src/inference/weights/untrained-model.ts';
import { createWorkerEngine } from '../../../src/inference/worker/worker-engine.ts';
import { movingPictures } from '../stream/pictures.ts';

const NETWORK = {
  ...{ variant: 's3d-g', frames: 16, height: 16, width: 24, classes: 5, widthMultiplier: 0.07 },
  sgs: { after: 'Conv_2b', embedding: { kind: 'pooled', grid: 2 }, boundary: 'nearest_complete' },
} as const;
const SAMPLER = { kind: 'ordered', width: 0.02, distance: 'l2' } as const;
const SIZE = 16 * 24 * 3;

test('an inference process that dies in the middle of a stream changes no score', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'actionstream-stream-'));
  const pixels = movingPictures(48, SIZE, 1);
  await using whole = await createOnnxEngine({
    model: createUntrainedModel({ network: NETWORK, seed: 5 }),
    threads: 1,
  });
  await using engine = await createWorkerEngine({
    entryUrl: new URL('../../fixtures/inference-worker/dies-once-entry.mjs', import.meta.url),
    spec: { engine: 'onnx', model: { kind: 'untrained', network: NETWORK, seed: 5 } },
    logger: silentLogger,
  });
  const reused: number[] = [];

  for (let first = 0; first + 16 <= 48; first += 4) {
    const clip = clipAt(pixels, first);
    const wanted = await whole.infer(clip, { sampler: SAMPLER });
    const clipId = first === 16 ? `die:${join(folder, 'marker')}` : clip.clipId;
    const found = await engine.infer({ ...clip, clipId }, { sampler: SAMPLER });

    expect(found.logits).toEqual(wanted.logits);
    expect(found.plan).toEqual(wanted.plan);
    reused.push(found.compute.reusedSteps);
  }

  // Of 8 steps 2 are new and one had waited for its right neighbours; after the
  // start and the loss all are new.
  expect(reused).toEqual([0, 5, 5, 5, 0, 5, 5, 5, 5]);
  await rm(folder, { recursive: true });
});

function clipAt(pixels: Uint8Array, firstFrame: number): PixelClip {
  const before = pixels.slice(Math.max(0, firstFrame - 3) * SIZE, firstFrame * SIZE);
  const data = pixels.slice(firstFrame * SIZE, (firstFrame + 16) * SIZE);
  const stream = { id: 'camera', segment: 0, firstFrame, before };
  return { clipId: `camera/${firstFrame}`, frames: 16, height: 16, width: 24, data, stream };
}
