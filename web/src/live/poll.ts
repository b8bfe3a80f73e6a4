import { useEffect, useState } from 'preact/hooks';
import { useAnswer, type Answer } from '../api/use-answer.ts';

/** Asks again and again while the page is looked at. */
export function usePolled<Value>(
  ask: (signal: AbortSignal) => Promise<Value>,
  everyMs: number,
): Answer<Value> {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') setTurn((before) => before + 1);
    }, everyMs);
    return () => {
      clearInterval(timer);
    };
  }, [everyMs]);
  return useAnswer(ask, [turn]);
}
