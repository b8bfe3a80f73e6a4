import { backoffMs, sleep } from '../core/abort.ts';
import { toActionstreamError } from '../core/errors.ts';
import type { Clip } from '../core/frame.ts';
import { monotonicMs } from '../core/time.ts';
import type { ScoredClip } from '../events/types.ts';
import type { InferenceResult } from '../inference/engine.ts';
import type { SamplerOptions } from '../sampler/types.ts';
import type { AuditedRun } from './audit/stream-audit.ts';
import type { PackedClip } from './pack-pixels.ts';
import { regionOfMotion } from './motion-region.ts';
import type { StreamJob } from './types.ts';

/** A file can wait: a clip that the engine failed on is tried again so often. */
const RETRIES_OF_FILE = 2;
const RETRY = { firstMs: 500, maxMs: 5000 };

/**
 * A clip through the engine. One of a file is tried again where another try may succeed. A live stream
 * takes its next clip instead: what waits meanwhile would be dropped.
 */
export async function scoreClip(
  job: StreamJob,
  packed: { readonly clip: Clip; readonly pixels: PackedClip },
  signal: AbortSignal,
): Promise<ScoredClip> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await scoreOnce(job, packed, signal);
    } catch (error) {
      const { retryable } = toActionstreamError(error);
      if (job.live || !retryable || attempt === RETRIES_OF_FILE || signal.aborted) throw error;
      await sleep(backoffMs(attempt, RETRY), signal);
    }
  }
}

async function scoreOnce(
  job: StreamJob,
  { clip, pixels }: Parameters<typeof scoreClip>[1],
  signal: AbortSignal,
): Promise<ScoredClip> {
  const queuedAt = monotonicMs();
  const run = job.audit?.begin(clip);
  const sampler = run?.sampler ?? job.budget?.samplerFor(job.sampler) ?? job.sampler;
  const result = await infer(job, { clip, pixels, sampler, run }, signal);
  const { lowerMs, samplerMs, upperMs } = result.compute;
  const queueMs = Math.max(0, monotonicMs() - queuedAt - lowerMs - samplerMs - upperMs);
  const ingestedAtMs = clip.frames.at(-1)?.ingestedAtMs ?? clip.endedAtMs;
  const processedAtMs = Date.now();
  job.budget?.record({ compute: result.compute, latencyMs: processedAtMs - ingestedAtMs });
  return {
    clipId: clip.clipId,
    segment: clip.segment,
    startMs: clip.startedAtMs,
    endMs: clip.endedAtMs,
    startUs: clip.startUs,
    endUs: clip.endUs,
    ingestedAtMs,
    ...uncertaintyOf(clip),
    processedAtMs,
    region: once(() => regionOfMotion(clip.frames, job.clips.view)),
    scores: result.scores,
    compute: { ...result.compute, queueMs },
    ...deltaOf(job.sampler, sampler),
    ...(run && { audit: run.note }),
  };
}

/** A chosen clip is audited behind our back: nothing waits for it. */
async function infer(
  { engine, audit }: StreamJob,
  {
    clip,
    pixels,
    sampler,
    run,
  }: Parameters<typeof scoreClip>[1] & {
    readonly sampler: SamplerOptions;
    readonly run: AuditedRun | undefined;
  },
  signal: AbortSignal,
): Promise<InferenceResult> {
  if (!audit || !run?.chosen) return engine.infer(pixels, { sampler, signal });
  try {
    const result = await engine.infer(pixels, { sampler, signal, maps: 'keep' });
    void audit.examine(clip, run, result, signal);
    return result;
  } catch (error) {
    audit.giveUp(clip, signal);
    throw error;
  }
}

/** Of sampler `ordered`; 0 where the audit has brought it down to the dense network. */
function deltaOf(configured: SamplerOptions, used: SamplerOptions): Pick<ScoredClip, 'delta' | 'sampler'> {
  const other = used.kind === configured.kind ? {} : { sampler: used.kind };
  if (used.kind === 'ordered') return { delta: used.width, ...other };
  return { ...other, ...(configured.kind === 'ordered' && { delta: 0 }) };
}

/** Labels of a clip share the answer. */
function once<Value>(work: () => Value): () => Value {
  let done: { readonly value: Value } | undefined;
  return () => (done ??= { value: work() }).value;
}

function uncertaintyOf({ frames }: Clip): { uncertaintyMs?: number } {
  const known = frames.flatMap(({ uncertaintyMs }) => uncertaintyMs ?? []);
  return known.length === 0 ? {} : { uncertaintyMs: Math.max(...known) };
}
