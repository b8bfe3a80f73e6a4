import type { Logger } from '../core/logger.ts';
import type { StreamOutcome, StreamTotals } from './types.ts';

/** Both lives of a stream together: their sums, and how the newer one ended. */
export function addOutcome(before: StreamOutcome | undefined, newer: StreamOutcome): StreamOutcome {
  if (!before) return newer;
  const names = Object.keys(newer.totals) as (keyof StreamTotals)[];
  const sums = names.map((name) => [name, before.totals[name] + newer.totals[name]] as const);
  return { ...newer, totals: { ...newer.totals, ...Object.fromEntries(sums) } };
}

export function logOutcome({ streamId, reason, totals, error }: StreamOutcome, logger: Logger): void {
  const { clips, clipsDropped, clipsFailed, events } = totals;
  const fields = {
    ...{ stream_id: streamId, reason, clips, events },
    ...{ clips_dropped: clipsDropped, clips_failed: clipsFailed },
  };
  if (error) logger.error({ ...fields, err: { type: error.code, message: error.message } }, 'stream failed');
  else logger.info(fields, 'stream finished');
}
