import type { StreamGap, StreamTransition } from '../core/frame.ts';
import type { PipelineReference, StreamDescription, StreamStatus } from '../core/records.ts';
import { toRfc3339 } from '../core/time.ts';

/** Within 30 s after a program is killed consumers know that nobody watches, whatever it said last. */
const VALID_MS = 25_000;

/** Until when a state that is reported now may be believed. */
export function validUntil(nowMs: number): string {
  return toRfc3339(nowMs + VALID_MS);
}

interface Reporter {
  readonly streamId: string;
  readonly about?: StreamDescription;
  readonly pipeline: PipelineReference;
  readonly startedAtMs: number;
}

/** Makes `stream.status` records with ids that are unique over restarts of the instance. */
export function createStatusRecorder(
  { streamId, about, pipeline, startedAtMs }: Reporter,
  now: () => number = Date.now,
) {
  let count = 0;
  const base = (): Pick<StreamStatus, 'status_id' | 'stream_id' | 'stream' | 'pipeline'> => ({
    status_id: `${streamId}:${pipeline.instance}:${startedAtMs}:${count++}`,
    stream_id: streamId,
    ...(about && { stream: about }),
    pipeline,
  });
  return {
    transition({ state, atMs, reason, detail }: StreamTransition): StreamStatus {
      return {
        ...base(),
        ...{ state, at: toRfc3339(atMs), reason },
        ...(state !== 'ended' && { valid_until: validUntil(now()) }),
        ...(detail !== undefined && { detail }),
      };
    },
    gap({ fromMs, toMs, reason }: StreamGap): StreamStatus {
      const gap = { from: toRfc3339(fromMs), to: toRfc3339(toMs) };
      return { ...base(), state: 'gap', at: gap.to, valid_until: validUntil(now()), reason, gap };
    },
  };
}
