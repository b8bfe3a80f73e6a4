import type { Writable } from 'node:stream';
import type { InferenceEngine } from '../inference/engine.ts';
import { createWorkerEngine } from '../inference/worker/worker-engine.ts';
import { engineSpecOf } from './engine-spec.ts';
import { createLogger } from './logger.ts';
import type { ModelChoice } from './model-choice.ts';

/** The engine of a choice, in a process of its own; its troubles are logged to `stderr`. */
export function openEngine(
  choice: ModelChoice,
  { entryUrl, stderr }: { readonly entryUrl: URL; readonly stderr: Writable },
): Promise<InferenceEngine> {
  return createWorkerEngine({ entryUrl, spec: engineSpecOf(choice), logger: createLogger(stderr, 'warn') });
}
