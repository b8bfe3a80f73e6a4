import type { Frame } from '../../src/core/frame.ts';

/** A tiny frame on the grid of `fps`, at slot `slot` of its segment. */
export function frameAt(
  index: number,
  {
    segment = 0,
    slot = index,
    fps = 10,
    streamId = 'cam',
  }: Partial<Record<'segment' | 'slot' | 'fps', number>> & { streamId?: string } = {},
): Frame {
  const ptsUs = Math.round((slot * 1_000_000) / fps);
  return {
    streamId,
    index,
    segment,
    ptsUs,
    capturedAtMs: 1_000_000 * segment + ptsUs / 1000,
    ingestedAtMs: 0,
    width: 1,
    height: 1,
    data: Uint8Array.of(index, 0, 0),
  };
}
