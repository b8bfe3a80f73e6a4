import { ActionstreamError } from '../core/errors.ts';

/** What a request rejects with that its caller gave up. */
export function interrupted(clipId?: string): ActionstreamError {
  const what = clipId === undefined ? '' : `clip ${clipId}: `;
  return new ActionstreamError('ABORTED', `${what}inference was interrupted`);
}

/** @throws ActionstreamError ABORTED */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw interrupted();
}

/** Aborts when all of the signals have: nobody waits any more. */
export function whenAllAborted(signals: readonly AbortSignal[]): AbortSignal {
  const [first, ...others] = signals;
  if (first && others.length === 0) return first;
  const all = new AbortController();
  let left = signals.length;
  const count = (): void => {
    left -= 1;
    if (left === 0) all.abort();
  };
  for (const signal of signals) {
    if (signal.aborted) count();
    else signal.addEventListener('abort', count, { once: true });
  }
  return all.signal;
}
