import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../src/core/median.ts';
import { quantile } from '../src/lab/bench/statistics.ts';
import { Resources } from '../src/core/resources.ts';
import { createOnnxEngine } from '../src/inference/engines/onnx/onnx-engine.ts';
import type { InferRequest, InferenceEngine, PixelClip } from '../src/inference/engine.ts';
import { loadModel } from '../src/inference/weights/load-model.ts';
import { createRandomStream } from '../src/inference/weights/random-stream.ts';
import type { SamplerOptions } from '../src/sampler/index.ts';

/**
 * Clips a second of the shipped model on the CPU where so many streams, each
 * sharing its lower half, are computed at once (ADR 0025); all cases in turn:
 *
 *     npx tsx bench/batches.ts [--threads 1] [--batches 1,2,4,8] [--seconds 60]
 */
const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: String(availableParallelism()) },
    batches: { type: 'string', default: '1,2,4,8' },
    seconds: { type: 'string', default: '60' },
    root: { type: 'string', default: path.join(import.meta.dirname, '..') },
  },
});

/**
 * Steps kept of 12, stream by stream. `padded`: what the second one would cost
 * at least if its clips were filled up to the longest.
 */
const MIXES = {
  'all 2': [2],
  '1, 2, 3, 4 in turn': [1, 2, 3, 4],
  'the same, padded to 4': [4],
  'all 12': [12],
} as const;
const FRAMES = 120;

const model = await loadModel(path.join(values.root, 'models', 's3d-g-atfr'));
const { frames, height, width } = model.manifest.network;
const { stride } = model.manifest.clip;
const frameBytes = height * width * 3;
const random = createRandomStream(1, 'pixels');
const film = Uint8Array.from({ length: FRAMES * frameBytes }, () => 256 * random.uniform());

await using resources = new Resources();
const cases: {
  readonly mix: string;
  readonly clips: number;
  readonly take: () => Promise<number>;
  readonly rates: number[];
}[] = [];
for (const clips of values.batches.split(',').map(Number)) {
  const engine = resources.add(
    await createOnnxEngine({ model, threads: Number(values.threads), maxClips: clips }),
  );
  for (const [mix, kept] of Object.entries(MIXES))
    cases.push({ mix, clips, take: createTaker(engine, mix, clips, kept), rates: [] });
}
const until = performance.now() + 1000 * Number(values.seconds);
for (let round = 0; round < 4 || performance.now() < until; round++) {
  for (const { take, rates } of cases) {
    const rate = await take();
    // The first clips of the streams share nothing yet.
    if (round > 0) rates.push(rate);
  }
}

console.log(
  `${values.threads} threads: steps kept of 12     at once  clips a second: median, 5 to 95 %  ÷ one at a time`,
);
for (const { mix, clips, rates } of cases) {
  const one = cases.find((other) => other.mix === mix)!;
  const spread = `${quantile(rates, 0.05).toFixed(1)}–${quantile(rates, 0.95).toFixed(1)}`;
  console.log(
    [
      mix.padEnd(38),
      String(clips).padStart(3),
      `${median(rates).toFixed(1).padStart(10)}  ${spread}`.padEnd(36),
      (median(rates) / median(one.rates)).toFixed(2),
    ].join(' '),
  );
}

/** Computes the next clip of eight streams, `clips` at once; gives clips a second. */
function createTaker(
  engine: InferenceEngine,
  mix: string,
  clips: number,
  kept: readonly number[],
): () => Promise<number> {
  let n = 0;
  return async () => {
    const calls = Array.from({ length: 8 }, (_, stream): InferRequest => {
      const sampler: SamplerOptions = { kind: 'uniform', stride: 12 / kept[stream % kept.length]! };
      return { clip: clipOf(engine, `${mix} ${stream}`, n), sampler };
    });
    n += 1;
    const started = performance.now();
    for (let from = 0; from < calls.length; from += clips)
      await Promise.all(engine.inferBatch(calls.slice(from, from + clips)));
    return (1000 * calls.length) / (performance.now() - started);
  };
}

/** The n-th clip of a stream: the film once more and once more, from the beginning of a segment each time. */
function clipOf({ info }: InferenceEngine, id: string, n: number): PixelClip {
  const perSegment = Math.floor((FRAMES - frames) / stride) + 1;
  const firstFrame = (n % perSegment) * stride;
  const context = Math.min(firstFrame, info.reuse?.contextFrames ?? 0);
  const part = (from: number, to: number): Uint8Array => film.subarray(from * frameBytes, to * frameBytes);
  const before = part(firstFrame - context, firstFrame);
  const stream = { id, segment: Math.floor(n / perSegment), firstFrame, before };
  return { clipId: `${id}/${n}`, frames, height, width, data: part(firstFrame, firstFrame + frames), stream };
}
