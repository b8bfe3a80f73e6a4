import type { ReuseInfo } from '../engine.ts';
import type { Network } from '../network/graph.ts';
import { streamGeometry } from './geometry.ts';
import type { LowerStreamsOptions } from './lower-streams.ts';

/** Whether and how an engine lets clips share steps. */
export type Reuse =
  | { readonly streams: Omit<LowerStreamsOptions, 'halves'>; readonly info: ReuseInfo }
  /** Why it does not. */
  | { readonly unfit: string };

export interface ReuseOptions {
  /** Default 0: only identical pictures are one (frame-contents.ts). */
  readonly repeatThreshold?: number;
}

/** Feature maps of all streams together may take so much; one stream may always be remembered. */
const CACHE_BYTES = 2 ** 30;

export function settleReuse(network: Network, { repeatThreshold = 0 }: ReuseOptions = {}): Reuse {
  const geometry = streamGeometry(network);
  if ('unfit' in geometry) return geometry;
  const { steps, stepSize, contextFrames, jump } = geometry;
  const { height, width, frames } = network.options;
  const bytesPerStream = 4 * steps * stepSize + (frames + contextFrames + 1) * height * width * 3;
  const maxStreams = Math.max(1, Math.floor(CACHE_BYTES / bytesPerStream));
  return {
    streams: { geometry, maxStreams, repeatThreshold },
    info: { contextFrames, frameStep: jump, bytesPerStream, maxStreams },
  };
}
