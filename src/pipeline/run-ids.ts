import type { StreamSettings } from '../config/index.ts';
import { runIdOf } from '../events/index.ts';
import type { EngineInfo } from '../inference/engine.ts';
import type { EngineSpec } from '../inference/worker/spec.ts';
import { recordingDigest } from '../ingest/index.ts';
import type { JobSettings } from './types.ts';

/**
 * Digests of the recordings among the streams, by stream. Never rejects: an unreadable one fails when it
 * runs.
 */
export async function recordingDigests(
  streams: readonly StreamSettings[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const files = streams.filter(({ kind }) => kind === 'file');
  const entries = files.map(
    async (stream) => [stream.streamId, await recordingDigest(stream, signal)] as const,
  );
  return new Map(await Promise.all(entries));
}

export interface StreamRun {
  readonly recording: string;
  readonly spec: EngineSpec;
  readonly info: EngineInfo;
  readonly stream: JobSettings;
}

/**
 * The run id of a file: its content, the model, and every setting that changes what is published. Left
 * out is what changes only when and where: paths, speed, queue and journal settings, threads, processes,
 * the GPU's number.
 */
export function runIdOfStream({ recording, spec, info, stream }: StreamRun): string {
  const { streamId, window, width, height, fit, scale, zones, masks, startTimeMs } = stream.options;
  const { network } = spec.model;
  const trained = spec.model.kind === 'file' ? spec.model : undefined;
  return runIdOf({
    recording,
    streamId,
    settings: {
      model: info.model,
      network,
      ...(trained && { sgsDefault: trained.sgsDefault }),
      ...(trained?.similarity !== undefined && { similarity: trained.similarity }),
      engine: info.engine,
      device: info.device.replace(/:\d+$/, ''),
      reuse: spec.reuse === null ? false : (spec.reuse ?? {}),
      labels: info.labels,
      background: info.backgroundId,
      sampler: stream.sampler,
      window,
      frame: { width, height, fit, scale, zones, masks },
      startTimeMs,
      episodes: stream.episodes,
    },
  });
}
