import { slotOf } from './sampling-filter.ts';

/** Where a raw frame lies on the constant-rate grid. */
export type Placement =
  /** `holds` empty slots before it show the raw frame that came before. */
  | { readonly kind: 'next'; readonly slot: number; readonly holds: number }
  /**
   * Not filmed one after the other with the last raw frame: the first one, a
   * hole, a step back, a new connection.
   */
  | { readonly kind: 'discontinuity'; readonly slot: number; readonly why: 'start' | 'hole' | 'step_back' }
  /** Its slot is taken, or it comes out of order within the tolerance. */
  | { readonly kind: 'late' };

export interface SamplingGrid {
  /** Presentation time in microseconds as the source sent it; undefined where it sent none. */
  place(ptsUs: number | undefined): Placement;
  /** The next raw frame starts anew. */
  reset(): void;
}

/**
 * A hole longer than this is a discontinuity; over a shorter one the source is
 * slow or thinned, and the frame stands still.
 */
const HOLE_MS = 5000;
/**
 * A source whose frames regularly lie further apart (time lapse, motion-only
 * recorder) sets its own limit, up to this.
 */
const LONGEST_HOLE_MS = 60_000;
const PACES = 5;
const LEAST_PACES = 3;
/**
 * Decoders of damaged streams and low-delay decoding of B-frames step back by a
 * few frames; clocks reset by more.
 */
const OUT_OF_ORDER_US = 500_000;

/**
 * Slot n is the first raw frame from n/fps on of the source's clock, or the one
 * before it where that slot has none.
 */
export function createSamplingGrid(fps: number): SamplingGrid {
  let paces: readonly number[] = [];
  let last: { readonly slot: number; readonly ptsUs: number } | undefined;
  return {
    place(ptsUs) {
      const previous = last;
      if (!previous) {
        const at = ptsUs ?? 0;
        last = { slot: slotOf(at, fps), ptsUs: at };
        return { kind: 'discontinuity', slot: last.slot, why: 'start' };
      }
      const at = ptsUs ?? previous.ptsUs + 1_000_000 / fps;
      const slot = ptsUs === undefined ? previous.slot + 1 : slotOf(at, fps);
      if (slot <= previous.slot && previous.ptsUs - at <= OUT_OF_ORDER_US) return { kind: 'late' };
      last = { slot, ptsUs: at };
      const mostHolds = Math.max(0, Math.floor((holeMs(paces) / 1000) * fps) - 1);
      if (at > previous.ptsUs) paces = [...paces, (at - previous.ptsUs) / 1000].slice(-PACES);
      if (slot <= previous.slot) return { kind: 'discontinuity', slot, why: 'step_back' };
      const holds = slot - previous.slot - 1;
      return holds > mostHolds ? { kind: 'discontinuity', slot, why: 'hole' } : { kind: 'next', slot, holds };
    },
    reset() {
      last = undefined;
    },
  };
}

/** Three times the usual distance of frames, within the limits. */
function holeMs(paces: readonly number[]): number {
  const usual =
    paces.length < LEAST_PACES ? 0 : [...paces].sort((a, b) => a - b)[Math.floor(paces.length / 2)];
  return Math.min(LONGEST_HOLE_MS, Math.max(HOLE_MS, 3 * (usual ?? 0)));
}
