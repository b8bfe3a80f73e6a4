import type { ActionEvent } from '../core/records.ts';

/**
 * The `ended` event of an episode that a crash or kill left open: it ends where
 * its last event saw it, with reason `restart`. Nobody watched what came after.
 */
export function endAfterRestart(last: ActionEvent): ActionEvent {
  const endedAt = new Date(Date.parse(last.started_at) + (last.duration_ms ?? 0)).toISOString();
  return { ...last, sequence: last.sequence + 1, state: 'ended', end_reason: 'restart', ended_at: endedAt };
}
