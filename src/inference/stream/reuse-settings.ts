import type { EngineInfo } from '../engine.ts';
import type { Network } from '../network/graph.ts';
import { streamGeometry, type StreamGeometry } from './geometry.ts';

export interface ReuseOptions {
  /** Default 0: only identical frames are one (frame-contents.ts). */
  readonly repeatThreshold?: number;
}

export interface ReuseSettings extends ReuseOptions {
  readonly geometry: StreamGeometry;
  /** Maximum number of cached streams. The least recently used stream is evicted. */
  readonly maxStreams: number;
}

/** Feature maps of all streams together may take so much; one stream may always be cached. */
const CACHE_BYTES = 2 ** 30;

/** Whether and how clips of a stream reuse steps. @param options null: they do not */
export function resolveReuse(
  network: Network,
  options: ReuseOptions | null,
): { readonly settings?: ReuseSettings; readonly info: Pick<EngineInfo, 'reuse' | 'reuseUnsupported'> } {
  if (!options) return { info: {} };
  const geometry = streamGeometry(network);
  if ('unsupported' in geometry) return { info: { reuseUnsupported: geometry.unsupported } };
  const { steps, stepSize, contextFrames, jump } = geometry;
  const { height, width, frames } = network.options;
  const bytesPerStream = 4 * steps * stepSize + (frames + contextFrames + 1) * height * width * 3;
  const maxStreams = Math.max(1, Math.floor(CACHE_BYTES / bytesPerStream));
  return {
    settings: { ...options, geometry, maxStreams },
    info: { reuse: { contextFrames, frameStep: jump, bytesPerStream, maxStreams } },
  };
}
