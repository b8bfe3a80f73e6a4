import { parseArgs } from 'node:util';
import { median } from '../src/core/median.ts';
import { silentLogger } from '../src/core/logger.ts';
import type { EngineKind } from '../src/inference/engine-choice.ts';
import type { PixelClip } from '../src/inference/engine.ts';
import { createWorkerEngine } from '../src/inference/worker/worker-engine.ts';
import { builtFile } from '../test/support/built.ts';

/**
 * Time of the lower half for clips of a stream that overlap, with and without
 * shared steps, clip by clip in turn:
 *
 *     npx tsx bench/stream-reuse.ts [--engine tfjs] [--model models/s3d-g-atfr] [--clips 40] [--threads 1]
 */
const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'tfjs' },
    model: { type: 'string', default: 'models/s3d-g-atfr' },
    clips: { type: 'string', default: '40' },
    threads: { type: 'string', default: '1' },
  },
});
await using engine = await createWorkerEngine({
  entryUrl: builtFile('inference/worker/entry.js'),
  spec: {
    engine: values.engine as EngineKind,
    model: { kind: 'file', path: values.model },
    threads: Number(values.threads),
  },
  logger: silentLogger,
});
const { frames, height, width, clip, reuse, sampler, device } = engine.info;
const FRAME_BYTES = height * width * 3;
const shared: number[] = [];
const apart: number[] = [];
let reused = 0;
let steps = 0;
for (let n = 0; n < Number(values.clips); n++) {
  const firstFrame = n * clip.stride;
  const alone: PixelClip = {
    clipId: `clip-${n}`,
    ...{ frames, height, width },
    data: pixels(firstFrame, firstFrame + frames),
  };
  const before = pixels(Math.max(0, firstFrame - (reuse?.contextFrames ?? 0)), firstFrame);
  const stream = { id: 'camera', segment: 0, firstFrame, before };
  const one = await engine.infer({ ...alone, stream }, { sampler });
  const other = await engine.infer(alone, { sampler });
  // The first clips of a stream share nothing yet, and buffers grow.
  if (n < 5) continue;
  shared.push(one.compute.lowerMs);
  apart.push(other.compute.lowerMs);
  reused += one.compute.reusedSteps;
  steps += one.compute.inputSteps;
}
const ratios = shared.map((ms, i) => ms / apart[i]!);
console.log(
  `${values.engine} on ${device}, a clip every ${clip.stride} of ${frames} frames, ${(reused / steps).toFixed(2)} of the steps shared: ` +
    `lower half ${median(shared).toFixed(1)} ÷ ${median(apart).toFixed(1)} ms; clip by clip ${median(ratios).toFixed(2)}`,
);

/** Frames of a bar that crosses a grey frame. */
function pixels(from: number, to: number): Uint8Array {
  const all = new Uint8Array((to - from) * FRAME_BYTES).fill(90);
  for (let t = from; t < to; t++) {
    for (let y = 0; y < height; y++) {
      const start = ((t - from) * height + y) * width * 3 + ((t * 5) % (width - 12)) * 3;
      all.fill(220, start, start + 36);
    }
  }
  return all;
}
