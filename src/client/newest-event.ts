import type { ActionEvent } from './records.ts';

/**
 * Whether `next` replaces `held`, another event of the same episode: the rule that the stores keep, for
 * whoever reads Kafka or the live records.
 *
 * - Of two workers of a fleet the later owner of the stream is right (`writer_epoch`): what an old owner
 *   still writes is void.
 * - Of one writer the higher `sequence` is right, except that no provisional end replaces a true end.
 * - A provisional end (of a file, for reason shutdown or restart) yields to a true event of the same or a
 *   higher sequence, and to a later provisional end.
 */
export function supersedes(next: ActionEvent, held: ActionEvent): boolean {
  const { writer_epoch: nextEpoch = 0 } = next;
  const { writer_epoch: heldEpoch = 0 } = held;
  if (nextEpoch !== heldEpoch) return nextEpoch > heldEpoch;
  if (!isProvisional(held))
    return next.sequence > held.sequence && !(isProvisional(next) && held.state === 'ended');
  if (!isProvisional(next)) return next.sequence >= held.sequence;
  if (next.sequence !== held.sequence) return next.sequence > held.sequence;
  return Date.parse(next.ended_at ?? '') > Date.parse(held.ended_at ?? '');
}

function isProvisional({ run_id: runId, end_reason: reason }: ActionEvent): boolean {
  return runId !== undefined && (reason === 'shutdown' || reason === 'restart');
}
