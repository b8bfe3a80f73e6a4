import { afterEach } from 'vitest';
import type { PixelClip } from '../../../src/inference/engine.ts';
import type { EngineScheduler } from '../../../src/inference/scheduler/engine-scheduler.ts';
import { createUntrainedModel } from '../../../src/inference/weights/untrained-model.ts';

export const model = createUntrainedModel({
  network: { variant: 's3d', frames: 4, height: 32, width: 32, classes: 2, widthMultiplier: 0.125 },
  seed: 1,
});
export const sampler = { kind: 'none' } as const;

export function clipOf(clipId: string): PixelClip {
  return { clipId, frames: 4, height: 32, width: 32, data: new Uint8Array(4 * 32 * 32 * 3) };
}

/** Closes after each test the schedulers that it has made; the caller puts each into the list. */
export function closingSchedulers(): EngineScheduler[] {
  const owned: EngineScheduler[] = [];
  afterEach(async () => {
    for (const scheduler of owned.splice(0)) await scheduler[Symbol.asyncDispose]();
  });
  return owned;
}
