import type { InferenceEngine } from '../inference/engine.ts';
import { createWorkerEngine } from '../inference/worker/worker-engine.ts';
import type { AppContext } from './context.ts';
import { engineSpecOf } from './engine-spec.ts';
import { createLogger } from './logger.ts';
import type { ModelChoice } from './model-choice.ts';

/** The engine of a choice, in a process of its own; its troubles are logged to `stderr`. */
export function openEngine(
  choice: ModelChoice,
  { programs, stderr }: Pick<AppContext, 'programs' | 'stderr'>,
): Promise<InferenceEngine> {
  const logger = createLogger(stderr, 'warn');
  return createWorkerEngine({ entryUrl: programs.engine, spec: engineSpecOf(choice), logger });
}
