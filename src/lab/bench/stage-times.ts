import type { InferenceEngine } from '../../inference/engine.ts';
import { buildNetwork } from '../../inference/network/build.ts';
import { countCost } from '../../inference/network/cost.ts';
import type { NetworkOptions } from '../../inference/network/graph.ts';
import type { SamplerOptions } from '../../sampler/index.ts';
import { noiseClip, openDense } from './clip-times.ts';
import type { BenchContext } from './context.ts';
import { sampleHere } from './foreign-load.ts';
import type { ClipShape } from './shapes.ts';
import type { ReuseTimes, Sample, StageCase, StageTimes } from './types.ts';

const KEPT_STEPS = [32, 16, 8, 4, 2, 1];
const SGS = {
  after: 'Conv_2b',
  embedding: { kind: 'pooled', grid: 4 },
  boundary: 'nearest_complete',
} as const satisfies NetworkOptions['sgs'];

/** The network as one graph, and cut at SGS with fewer and fewer steps kept, in turn. */
export async function timeStages(
  context: BenchContext,
  { name, network }: ClipShape,
  rounds: number,
): Promise<StageTimes> {
  const { threads, signal, progress } = context;
  await using whole = await openDense(network, threads);
  await using split = await openDense({ ...network, sgs: SGS }, threads);
  const clip = noiseClip(whole.info);
  const dense = countCost(buildNetwork({ ...network, sgs: SGS }));
  const wholeSamples: Sample[] = [];
  const samples = new Map<number, StageCase['samples'][number][]>();
  for (let round = 0; round < rounds; round++) {
    progress(`${name}, kept steps: round ${round + 1} of ${rounds}`);
    wholeSamples.push(await sampleHere(() => whole.infer(clip, { sampler: { kind: 'none' } })));
    for (const kept of KEPT_STEPS.filter((steps) => steps <= dense.inputSteps)) {
      signal.throwIfAborted();
      samples.set(kept, [
        ...(samples.get(kept) ?? []),
        await sampleKept(split, clip, dense.inputSteps, kept),
      ]);
    }
  }
  const cases = [...samples].map(([keptSteps, taken]) => {
    const { multiplyAdds } = countCost(buildNetwork({ ...network, sgs: SGS }), { keptSteps });
    return { keptSteps, costShare: multiplyAdds / dense.multiplyAdds, samples: taken };
  });
  return { whole: wholeSamples, inputSteps: dense.inputSteps, cases };
}

async function sampleKept(
  engine: InferenceEngine,
  clip: ReturnType<typeof noiseClip>,
  inputSteps: number,
  kept: number,
): Promise<StageCase['samples'][number]> {
  // Every stride-th step: ⌈steps / stride⌉ are kept.
  const sampler: SamplerOptions =
    kept === inputSteps ? { kind: 'none' } : { kind: 'uniform', stride: Math.ceil(inputSteps / kept) };
  let times = { lowerMs: 0, samplerMs: 0, upperMs: 0 };
  const sample = await sampleHere(async () => {
    const { compute } = await engine.infer(clip, { sampler });
    times = { lowerMs: compute.lowerMs, samplerMs: compute.samplerMs, upperMs: compute.upperMs };
  });
  return { ...sample, ...times };
}

/** A stream's clips that overlap by half, each first by itself, then as the stream's. */
export async function timeReuse(
  context: BenchContext,
  { name, network }: ClipShape,
  rounds: number,
): Promise<ReuseTimes> {
  const { threads, signal, progress } = context;
  await using engine = await openDense({ ...network, sgs: SGS }, threads);
  const { reuse, frames, height, width } = engine.info;
  const contextFrames = reuse?.contextFrames ?? 0;
  const frameBytes = height * width * 3;
  const stride = Math.floor(frames / 2);
  // Nearly all of the time is the lower stage: one step is kept.
  const sampler: SamplerOptions = { kind: 'uniform', stride: frames };
  const { data } = noiseClip({ frames: stride * (rounds + 2), height, width });
  const apart: number[] = [];
  const shared: number[] = [];
  for (let index = 0; index <= rounds; index++) {
    signal.throwIfAborted();
    progress(`${name}, overlap of one half: clip ${index} of ${rounds}`);
    const firstFrame = index * stride;
    // One behind the other in memory, as the engine's process has them.
    const earlier = Math.min(firstFrame, contextFrames) * frameBytes;
    const block = data.slice(firstFrame * frameBytes - earlier, (firstFrame + frames) * frameBytes);
    const [before, own] = [block.subarray(0, earlier), block.subarray(earlier)];
    const clip = { clipId: String(index), frames, height, width, data: own };
    const alone = await engine.infer(clip, { sampler });
    const stream = { id: 'bench', segment: 0, firstFrame, before };
    const together = await engine.infer({ ...clip, stream }, { sampler });
    // The first clip of a stream has nothing to reuse.
    if (index === 0) continue;
    apart.push(alone.compute.lowerMs);
    shared.push(together.compute.lowerMs);
  }
  return { apartLowerMs: apart, sharedLowerMs: shared };
}
