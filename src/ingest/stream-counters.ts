import type { StreamCounters } from './types.ts';

/** What a stream has done so far. */
export interface StreamTally {
  frameDecoded(): void;
  clipFormed(): void;
  /** `reason` is from a closed vocabulary: it becomes a metric label. */
  count(what: Counted, reason: string): void;
  read(): StreamCounters;
}

type Counted = 'clipsDropped' | 'framesDropped' | 'reconnects' | 'clockFaults';

export function createStreamCounters(): StreamTally {
  const reasons: Record<Counted, Record<string, number>> = {
    clipsDropped: {},
    framesDropped: {},
    reconnects: {},
    clockFaults: {},
  };
  let framesDecoded = 0;
  let clipsFormed = 0;
  let lastFrameAtMs: number | undefined;
  return {
    frameDecoded() {
      framesDecoded += 1;
      lastFrameAtMs = Date.now();
    },
    clipFormed() {
      clipsFormed += 1;
    },
    count(what, reason) {
      reasons[what][reason] = (reasons[what][reason] ?? 0) + 1;
    },
    read() {
      const copies = {
        clipsDropped: { ...reasons.clipsDropped },
        framesDropped: { ...reasons.framesDropped },
        reconnects: { ...reasons.reconnects },
        clockFaults: { ...reasons.clockFaults },
      };
      return {
        framesDecoded,
        clipsFormed,
        ...copies,
        ...(lastFrameAtMs === undefined ? {} : { lastFrameAtMs }),
      };
    },
  };
}
