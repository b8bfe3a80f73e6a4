import { ActionstreamError } from '../core/errors.ts';

/**
 * A checkpoint that cannot be taken. `place` names the file and, after a colon,
 * the entry or tensor within it.
 */
export function refuse(place: string, problem: string, cause?: unknown): ActionstreamError {
  return new ActionstreamError('MODEL_INVALID', `${place}: ${problem}`, cause === undefined ? {} : { cause });
}
