import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchContext } from './context.ts';
import { openPeer } from './peer.ts';
import { usageBelow } from './processes.ts';
import { totals } from './replay-ours.ts';
import { peerNetwork, type ClipShape } from './shapes.ts';
import { quantile } from './statistics.ts';
import type { StreamRun } from './types.ts';

export interface PeerReplay {
  readonly shape: ClipShape;
  readonly videos: readonly string[];
  readonly fps: number;
  readonly stride: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
}

/** The same videos through the Python pipeline, with the model's network on PyTorch, eager, tuned malloc. */
export async function replayPeer(
  { env, threads, signal }: BenchContext,
  peer: NonNullable<BenchContext['peer']>,
  { shape, videos, fps, stride, seconds, warmupSeconds }: PeerReplay,
): Promise<StreamRun> {
  await using python = await openPeer({ ...peer, tunedMalloc: true, env });
  await python.ask({ do: 'open', ...peerNetwork(shape), threads, mode: 'channels_last' }, signal);
  const frames = shape.network.frames ?? 0;
  const request = { do: 'streams', videos, fps, stride, seconds, warmup: warmupSeconds };
  const answer = python.ask<{ lagsMs: readonly number[]; clips: number; dropped: number }>(request, signal);
  const usage = measureMiddle(python.pid, {
    seconds,
    afterSeconds: stride / fps + frames / fps + warmupSeconds,
    signal,
  });
  const { lagsMs, clips, dropped } = await answer;
  return {
    streams: videos.length,
    seconds,
    clips,
    dropped,
    latencyMs: { p50: quantile(lagsMs, 0.5), p95: quantile(lagsMs, 0.95) },
    ...(await usage),
  };
}

async function measureMiddle(
  pid: number,
  { seconds, afterSeconds, signal }: { seconds: number; afterSeconds: number; signal: AbortSignal },
): Promise<Pick<StreamRun, 'cores' | 'mebibytes'>> {
  await sleep(1000 * afterSeconds, undefined, { signal });
  const before = usageBelow(pid, () => 'python');
  const shortened = 0.9 * seconds;
  await sleep(1000 * shortened, undefined, { signal });
  const { cores, mebibytes } = totals(
    before,
    usageBelow(pid, () => 'python'),
    shortened,
  );
  return { cores, mebibytes };
}
