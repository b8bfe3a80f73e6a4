import type { ActionEvent } from '../core/records.ts';

/**
 * The `ended` event of an episode that a crash or kill left open: it ends where its last event saw it. Nobody
 * watched what came after. The reason is `restart`, and `moved` in a fleet, where another worker goes on.
 */
export function endAfterRestart(last: ActionEvent): ActionEvent {
  const endedAt = new Date(Date.parse(last.started_at) + (last.duration_ms ?? 0)).toISOString();
  const reason = last.writer_epoch === undefined ? 'restart' : 'moved';
  return { ...last, sequence: last.sequence + 1, state: 'ended', end_reason: reason, ended_at: endedAt };
}
