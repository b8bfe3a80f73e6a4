import type { InferenceEngine, PixelClip } from '../../inference/engine.ts';
import { createOnnxEngine } from '../../inference/engines/onnx/onnx-engine.ts';
import { buildNetwork } from '../../inference/network/build.ts';
import { countCost } from '../../inference/network/cost.ts';
import type { NetworkOptions } from '../../inference/network/graph.ts';
import { createRandomStream } from '../../inference/weights/random-stream.ts';
import { createUntrainedModel } from '../../inference/weights/untrained-model.ts';
import { Resources } from '../../core/resources.ts';
import type { BenchContext } from './context.ts';
import { sampleHere, sampleOf } from './foreign-load.ts';
import { openPeer, type Peer } from './peer.ts';
import { peerNetwork, type ClipShape } from './shapes.ts';
import type { ClipTimes, Sample } from './types.ts';

export const OURS = 'actionstream';

/**
 * Eager is what PyTorch's documentation shows; the others are the best that we
 * found for it (docs/benchmarks.md).
 */
const PEER_CASES = [
  { name: 'torch eager', mode: 'eager', tunedMalloc: false },
  { name: 'torch eager, channels_last, tuned malloc', mode: 'channels_last', tunedMalloc: true },
  { name: 'torch compiled, frozen, channels_last, tuned malloc', mode: 'compiled', tunedMalloc: true },
] as const;

/**
 * A dense clip of one shape, ours and the peer's in turn, `rounds` times; saved
 * after each, so that an interruption loses nothing.
 */
export async function timeClips(
  context: BenchContext,
  shape: ClipShape,
  { rounds, save }: { readonly rounds: number; readonly save: (times: ClipTimes) => Promise<void> },
): Promise<void> {
  const { signal, threads, progress } = context;
  await using resources = new Resources();
  const engine = resources.add(await openDense(shape.network, threads));
  const clip = noiseClip(engine.info);
  const peers = await openPeers(context, shape, resources);
  const cases = new Map<string, Sample[]>([OURS, ...peers.keys()].map((name) => [name, []]));
  const gemmGflops: number[] = [];
  const { multiplyAdds } = countCost(buildNetwork(shape.network));
  for (let round = 0; round < rounds; round++) {
    signal.throwIfAborted();
    progress(`${shape.name}: round ${round + 1} of ${rounds}`);
    cases.get(OURS)?.push(await sampleHere(() => engine.infer(clip, { sampler: { kind: 'none' } })));
    for (const [name, peer] of peers) cases.get(name)?.push(await samplePeer(peer, signal));
    const [first] = peers.values();
    if (first) gemmGflops.push((await first.ask<{ gflops: number }>({ do: 'gemm' }, signal)).gflops);
    await save({ multiplyAdds, threads, cases: Object.fromEntries(cases), gemmGflops });
  }
}

export function openDense(network: Partial<NetworkOptions>, threads: number): Promise<InferenceEngine> {
  return createOnnxEngine({ model: createUntrainedModel({ network, seed: 1 }), threads, provider: 'cpu' });
}

export function noiseClip({
  frames,
  height,
  width,
}: Pick<PixelClip, 'frames' | 'height' | 'width'>): PixelClip {
  const random = createRandomStream(1, 'pixels');
  const data = Uint8Array.from({ length: frames * height * width * 3 }, () => random.word() & 255);
  return { clipId: 'noise', frames, height, width, data };
}

async function openPeers(
  { peer, env, signal, threads, progress }: BenchContext,
  shape: ClipShape,
  resources: Resources,
): Promise<ReadonlyMap<string, Peer>> {
  const opened = new Map<string, Peer>();
  if (!peer) return opened;
  for (const { name, mode, tunedMalloc } of PEER_CASES) {
    progress(`${shape.name}: ${name} gets ready`);
    const one = resources.add(await openPeer({ ...peer, tunedMalloc, env }));
    await one.ask({ do: 'open', ...peerNetwork(shape), threads, mode }, signal);
    opened.set(name, one);
  }
  return opened;
}

function samplePeer(peer: Peer, signal: AbortSignal): Promise<Sample> {
  return sampleOf(async () => {
    const { ms, cpuMs } = await peer.ask<{ ms: number; cpuMs: number }>({ do: 'clip' }, signal);
    return { ms, cpuS: cpuMs / 1000 };
  });
}
