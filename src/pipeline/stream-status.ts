import type { StreamGap, StreamTransition } from '../core/frame.ts';
import type { PipelineReference, StreamStatus } from '../core/records.ts';
import { toRfc3339 } from '../core/time.ts';

/** Makes `stream.status` records with ids that are unique over restarts of the instance. */
export function createStatusRecorder(streamId: string, pipeline: PipelineReference, startedAtMs: number) {
  let count = 0;
  const base = (): Pick<StreamStatus, 'status_id' | 'stream_id' | 'pipeline'> => ({
    status_id: `${streamId}:${pipeline.instance}:${startedAtMs}:${count++}`,
    stream_id: streamId,
    pipeline,
  });
  return {
    transition({ state, atMs, reason, detail }: StreamTransition): StreamStatus {
      return { ...base(), state, at: toRfc3339(atMs), reason, ...(detail === undefined ? {} : { detail }) };
    },
    gap({ fromMs, toMs, reason }: StreamGap): StreamStatus {
      const gap = { from: toRfc3339(fromMs), to: toRfc3339(toMs) };
      return { ...base(), state: 'gap', at: gap.to, reason, gap };
    },
  };
}
