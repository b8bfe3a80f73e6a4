import { ActionstreamError, toActionstreamError, type ErrorCode } from '../../core/errors.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import type { EngineInfo, InferenceResult, InferOptions, PixelClip } from '../engine.ts';
import type { SentPlace } from './sent-frames.ts';
import type { EngineSpec } from './spec.ts';

/** The descriptor under which the inference process inherits the pixel slot. */
export const PIXELS_FD = 3;

/** What the main process asks of the inference process: first `open`, then the rest. */
export type WorkerRequest =
  | { readonly type: 'open'; readonly spec: EngineSpec }
  /** Clips that are to be computed together. */
  | { readonly type: 'infer'; readonly calls: readonly WireCall[] }
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'close_stream'; readonly streamId: string }
  | { readonly type: 'forget_maps'; readonly clipId: string }
  | { readonly type: 'dispose' };

export interface WireCall {
  readonly id: number;
  readonly clip: Omit<PixelClip, 'data' | 'stream'>;
  /** Which of its pixels lie in the slot; absent: all of them. */
  readonly place?: SentPlace;
  /** Where they begin there. */
  readonly slotFrom: number;
  readonly sampler: SamplerOptions;
  readonly maps?: NonNullable<InferOptions['maps']>;
}

/**
 * What it answers: `ready` or `failed` to `open`; one `result` or `error` to each call, or `resend`
 * where it lacks what had been sent before, and no pixels are read of the slot any more.
 */
export type WorkerReply =
  | { readonly type: 'ready'; readonly info: EngineInfo }
  | { readonly type: 'failed'; readonly error: WireError }
  | { readonly type: 'result'; readonly id: number; readonly result: InferenceResult }
  | { readonly type: 'resend'; readonly id: number }
  | { readonly type: 'error'; readonly id: number; readonly error: WireError };

/** An ActionstreamError as structured data: a class does not survive the crossing. */
interface WireError {
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
