import type { EngineInfo, EngineLosses, InferenceResult, InferRequest } from './engine.ts';

/**
 * An engine without its front (create-engine.ts): it computes one batch at a time, of requests that
 * were checked. The engines of this process have one, and so has the supervisor of an inference
 * process.
 */
export interface EngineCore {
  readonly info: EngineInfo;
  /** Settles each request, whatever becomes of it; resolves when the core is free for the next batch. */
  run(batch: readonly RunningRequest[]): Promise<void>;
  /** Forgets a stream. Never called during a run. */
  closeStream(streamId: string): void;
  /** Forgets the feature maps that are kept of a clip. Never called during a run. */
  forgetMaps(clipId: string): void;
  losses?(): EngineLosses;
  /** Frees everything once the run, whose requests are all aborted, has ended. Called once. */
  release(): Promise<void>;
}

/** A request whose caller waits. Settling it a second time does nothing. */
export interface RunningRequest extends InferRequest {
  /** Aborts with the caller's own signal, or when the engine is disposed of. */
  readonly signal: AbortSignal;
  readonly resolve: (result: InferenceResult) => void;
  readonly reject: (reason: unknown) => void;
}
