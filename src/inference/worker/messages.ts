import { ActionstreamError, toActionstreamError, type ErrorCode } from '../../core/errors.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import type { EngineInfo, InferenceResult, PixelClip } from '../engine.ts';

/** What the main thread asks of the inference thread. */
export type WorkerRequest =
  | {
      readonly type: 'infer';
      readonly id: number;
      readonly clip: PixelClip;
      readonly sampler: SamplerOptions;
    }
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'dispose' };

/** What the inference thread answers: first `ready` or `failed`, then one `result` or `error` for each `infer`. */
export type WorkerReply =
  | { readonly type: 'ready'; readonly info: EngineInfo }
  | { readonly type: 'failed'; readonly error: WireError }
  | {
      readonly type: 'result';
      readonly id: number;
      readonly result: InferenceResult;
      readonly pixels?: ArrayBuffer;
    }
  | { readonly type: 'error'; readonly id: number; readonly error: WireError; readonly pixels?: ArrayBuffer };

/** An ActionstreamError as a structured clone carries it: a class does not survive the crossing. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Stack of the cause, for the log. */
  readonly detail?: string;
}

export function toWire(error: unknown): WireError {
  const { code, message, cause } = toActionstreamError(error);
  const detail = cause instanceof Error ? (cause.stack ?? cause.message) : undefined;
  return { code, message, ...(detail !== undefined && { detail }) };
}

export function fromWire({ code, message, detail }: WireError): ActionstreamError {
  return new ActionstreamError(code, message, detail === undefined ? undefined : { cause: detail });
}
