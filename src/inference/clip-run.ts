import { ActionstreamError, messageOf } from '../core/errors.ts';
import { monotonicMs } from '../core/time.ts';
import { interrupted } from './aborts.ts';
import type { RunningRequest } from './engine-core.ts';

/** A clip on its way through the network: it fails by itself, and knows what time it took. */
export class ClipRun {
  readonly request: RunningRequest;
  /** Its own work, and its equal share of what it was computed in together with others. */
  readonly spent = { lowerMs: 0, samplerMs: 0, upperMs: 0 };
  readonly #runtime: string;
  #failed = false;

  /** @param runtime names the tensor library in errors */
  constructor(request: RunningRequest, runtime: string) {
    this.request = request;
    this.#runtime = runtime;
  }

  /** False once it has failed, or its caller gave up. */
  isWanted(): boolean {
    if (!this.#failed && this.request.signal.aborted) this.fail(interrupted(this.request.clip.clipId));
    return !this.#failed;
  }

  /**
   * What `work` gives, its time counted for the stage; undefined where the clip is not wanted or
   * `work` throws.
   */
  attempt<T>(stage: keyof ClipRun['spent'], work: () => T): T | undefined {
    if (!this.isWanted()) return undefined;
    const startedMs = monotonicMs();
    try {
      return work();
    } catch (error) {
      this.fail(error);
      return undefined;
    } finally {
      this.spent[stage] += monotonicMs() - startedMs;
    }
  }

  fail(error: unknown): void {
    this.#failed = true;
    const { clipId } = this.request.clip;
    const problem =
      error instanceof ActionstreamError
        ? error
        : new ActionstreamError('ENGINE_FAILED', `clip ${clipId}: ${this.#runtime}: ${messageOf(error)}`, {
            cause: error,
          });
    this.request.reject(problem);
  }
}
