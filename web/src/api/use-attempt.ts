import { useState } from 'preact/hooks';
import { ApiProblem } from '../../../src/client/index.ts';

/** A change that is asked for: whether it is under way, and in words why it was refused. */
export function useAttempt(): {
  readonly attempt: (work: () => Promise<void>) => Promise<void>;
  readonly isBusy: boolean;
  readonly problem: string | undefined;
} {
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    setProblem(undefined);
    setBusy(true);
    await work().catch((error: unknown) => {
      setProblem(inWords(error));
    });
    setBusy(false);
  };
  return { attempt, isBusy, problem };
}

/** @returns a sentence, also where a request was not answered */
function inWords(error: unknown): string {
  if (!(error instanceof ApiProblem)) return 'The program gave no answer';
  if (error.status === 403) return 'Your token may look, not change: enter one of the role admin';
  return error.message;
}
