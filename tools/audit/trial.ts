import { readClips } from '../../src/app/read-clips.ts';
import { DEFAULT_ON } from '../../src/config/index.ts';
import type { Clip } from '../../src/core/frame.ts';
import type { Logger } from '../../src/core/logger.ts';
import { heldShare } from '../../src/core/decisions.ts';
import type { InferenceEngine, InferenceResult, PixelClip } from '../../src/inference/engine.ts';
import { EngineScheduler, type StreamEngine } from '../../src/inference/scheduler/engine-scheduler.ts';
import type { AuditTargets } from '../../src/pipeline/audit/audit-controller.ts';
import { createStreamAudit, type AuditState } from '../../src/pipeline/audit/stream-audit.ts';
import { clipContext } from '../../src/pipeline/clip-context.ts';
import { createPixelPacker } from '../../src/pipeline/pack-pixels.ts';
import type { SamplerOptions } from '../../src/sampler/types.ts';

export interface TrialOptions {
  readonly engine: InferenceEngine;
  readonly sampler: SamplerOptions;
  readonly targets: AuditTargets;
  readonly logger: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** A clip of a trial: what the audit did, and what it does not know. */
export interface TrialClip {
  /** When it ends within the footage. */
  readonly endS: number;
  /** With the dense network: of the configured δ, and of what was published. */
  readonly configured: number;
  readonly inUse: number;
  readonly multiplyAdds: number;
  readonly denseMultiplyAdds: number;
  readonly audit: AuditState;
}

/**
 * A video as an audited stream, taken as fast as it can be computed: an audit ends before the next clip
 * begins. Each clip also runs on the dense network and with the configured δ, which the audit does not see.
 */
export async function* auditTrial(
  video: string,
  { engine, sampler, targets, logger, env, signal }: TrialOptions,
): AsyncGenerator<TrialClip, void, undefined> {
  const { info } = engine;
  const scheduler = new EngineScheduler([engine]);
  const stream = scheduler.engineFor('camera');
  const thresholds = info.labels.map((label) => info.thresholds?.[label]?.on ?? DEFAULT_ON);
  const audit = createStreamAudit('camera', { targets, sampler, thresholds, engine: stream, logger });
  const pack = createPixelPacker({ contextFrames: clipContext(info), sampler });
  for await (const clip of readClips(video, info, { env }, signal)) {
    const run = audit.begin(clip);
    const pixels = pack(clip);
    const used = await stream.infer(pixels, { sampler: run.sampler, maps: 'keep' });
    const shares = await sharesOf(stream, pixels, { used, sampler, thresholds });
    if (run.chosen) await audit.examine(clip, run, used, signal);
    else stream.forgetMaps(clip.clipId);
    const { multiplyAdds, denseMultiplyAdds } = used.compute;
    yield { endS: endOf(clip), ...shares, multiplyAdds, denseMultiplyAdds, audit: audit.read() };
  }
}

async function sharesOf(
  stream: StreamEngine,
  pixels: PixelClip,
  {
    used,
    sampler,
    thresholds,
  }: {
    readonly used: InferenceResult;
    readonly sampler: SamplerOptions;
    readonly thresholds: readonly number[];
  },
): Promise<{ readonly configured: number; readonly inUse: number }> {
  const dense = await stream.inferAgain(pixels, { sampler: { kind: 'none' } });
  const configured = await stream.inferAgain(pixels, { sampler });
  return {
    configured: heldShare(dense, configured, thresholds),
    inUse: heldShare(dense, used, thresholds),
  };
}

function endOf({ endUs }: Clip): number {
  return endUs / 1e6;
}
