import type { BenchContext } from './context.ts';
import { replayOurs } from './replay-ours.ts';
import { replayPeer } from './replay-peer.ts';
import type { ClipShape } from './shapes.ts';
import type { StreamRun, StreamRuns } from './types.ts';

export interface StreamsOptions {
  /** Numbers of streams to try, rising. */
  readonly counts: readonly number[];
  /** Measured, after `warmupSeconds` in which every stream has its first clips. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly model: string;
  readonly shape: ClipShape;
  /** Frames a second, and frames between clip starts, of the model. */
  readonly clip: { readonly fps: number; readonly stride: number };
  /** More configuration of `run`. */
  readonly settings?: object;
  /** Called after each run, so that an interruption loses nothing. */
  readonly save: (runs: StreamRuns) => Promise<void>;
}

/** Clips that may be missing before a stream counts as not keeping up. */
const LOST_SHARE = 0.02;

/** Raises the number of streams, ours and the peer's in turn, each until it does not keep up any more. */
export async function runStreamCounts(
  context: BenchContext,
  known: StreamRuns | undefined,
  { counts, seconds, warmupSeconds, model, shape, clip, settings, save }: StreamsOptions,
): Promise<StreamRuns> {
  const sloMs = (1000 * (shape.network.frames ?? 0)) / clip.fps;
  let runs: StreamRuns = known?.sloMs === sloMs ? known : { sloMs, ours: [], peer: [] };
  const { mainPath, videos, peer, signal, progress } = context;
  const timing = { seconds, warmupSeconds };
  const add = async (side: 'ours' | 'peer', run: StreamRun): Promise<void> => {
    const others = runs[side].filter(({ streams }) => streams !== run.streams);
    runs = { ...runs, [side]: [...others, run].sort((a, b) => a.streams - b.streams) };
    progress(`${side === 'ours' ? 'actionstream' : 'peer'}: ${describeRun(run)}`);
    await save(runs);
  };
  const failedBelow = (side: 'ours' | 'peer', count: number): boolean =>
    runs[side].some((run) => run.streams < count && !keepsUp(run, sloMs));
  for (const count of counts) {
    signal.throwIfAborted();
    const chosen = Array.from({ length: count }, (_, i) => videos[i % videos.length] ?? '');
    if (!failedBelow('ours', count)) {
      const more = settings === undefined ? {} : { settings };
      await add('ours', await replayOurs({ mainPath, model, videos: chosen, ...timing, ...more, signal }));
    }
    if (peer && !failedBelow('peer', count))
      await add('peer', await replayPeer(context, peer, { shape, videos: chosen, ...clip, ...timing }));
  }
  return runs;
}

export function keepsUp({ clips, dropped, latencyMs }: StreamRun, sloMs: number): boolean {
  return clips > 0 && latencyMs.p95 <= sloMs && dropped <= LOST_SHARE * (clips + dropped);
}

/** Most streams that kept up. */
export function mostStreams(runs: readonly StreamRun[], sloMs: number): number {
  return Math.max(0, ...runs.filter((run) => keepsUp(run, sloMs)).map(({ streams }) => streams));
}

export function describeRun(run: StreamRun): string {
  const {
    streams,
    clips,
    seconds,
    dropped,
    latencyMs,
    receipts,
    cores,
    mebibytes,
    byPart = {},
    othersCores,
  } = run;
  const { p50, p95 } = latencyMs;
  const delta = receipts?.delta;
  const parts = Object.entries(byPart).map(([part, usage]) => `${part} ${usage.cores.toFixed(2)}`);
  return [
    `${streams} streams, ${clips} clips in ${seconds} s`,
    ...(receipts ? [`${receipts.fewestClips} of the stream with the fewest`] : []),
    `${dropped} dropped`,
    ...(receipts && receipts.failed > 0 ? [`${receipts.failed} failed`] : []),
    `latency p50 ${p50.toFixed(0)} p95 ${p95.toFixed(0)} ms`,
    ...(delta ? [`δ mean ${delta.mean.toFixed(2)} most ${delta.max.toFixed(2)}`] : []),
    `${cores.toFixed(2)} cores${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`,
    `${mebibytes.toFixed(0)} MiB`,
    ...(othersCores === undefined ? [] : [`other programs ${othersCores.toFixed(2)} cores`]),
  ].join(', ');
}
