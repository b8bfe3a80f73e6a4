import { useEffect, useState } from 'preact/hooks';
import { ApiProblem } from '../../../src/client/index.ts';
import { connection } from '../live/connection.ts';

/** What became of a request. While another one is under way, the value before it stays. */
export interface Answer<Value> {
  readonly value?: Value;
  readonly problem?: ApiProblem;
  readonly isLoading: boolean;
}

/**
 * Asks when the page shows it, when `keys` change, and again when the connection is back.
 * What arrives after that is thrown away.
 */
export function useAnswer<Value>(
  ask: (signal: AbortSignal) => Promise<Value>,
  keys: readonly unknown[],
): Answer<Value> {
  const [answer, setAnswer] = useState<Answer<Value>>({ isLoading: true });
  const isOffline = connection.value === 'offline';
  useEffect(() => {
    const stop = new AbortController();
    setAnswer(({ value }) => ({ ...(value !== undefined && { value }), isLoading: true }));
    ask(stop.signal).then(
      (value) => {
        if (!stop.signal.aborted) setAnswer({ value, isLoading: false });
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        const problem = error instanceof ApiProblem ? error : unexpected(error);
        setAnswer(({ value }) => ({ ...(value !== undefined && { value }), problem, isLoading: false }));
      },
    );
    return () => {
      stop.abort();
    };
  }, [...keys, isOffline]);
  return answer;
}

function unexpected(error: unknown): ApiProblem {
  return new ApiProblem({ status: 0, code: 'PAGE', detail: String(error) });
}
