import type { Frame } from '../core/frame.ts';
import { createSamplingGrid, type Placement } from './sampling-grid.ts';
import { createSourceClock, type ClockFault } from './source-clock.ts';

export interface AssemblerOptions {
  readonly streamId: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly kind: 'live' | 'file';
  readonly startTimeMs: number;
  /** False where a live source waits for us, so that arrivals do not tell of its clock. Default true. */
  readonly steer?: boolean;
  /** Milliseconds since 1970; a parameter so that tests own the time. */
  readonly now: () => number;
  /** Milliseconds on a clock that never steps. Default `now`: then no step of the machine's clock is seen. */
  readonly monotonic?: () => number;
}

export interface Discontinuity {
  readonly why: 'start' | 'hole' | 'step_back' | 'clock_set';
  /** The segment that begins. */
  readonly segment: number;
  /** Capture time of the last frame before it; absent before the first frame of the stream. */
  readonly lastCapturedAtMs?: number;
  readonly capturedAtMs: number;
}

interface AssemblerHandlers {
  readonly onFrame: (frame: Frame) => void;
  /** Comes before the first frame of its segment. */
  readonly onDiscontinuity: (discontinuity: Discontinuity) => void;
  /** A frame was given up: out of order, or its slot is taken. */
  readonly onLate: () => void;
  /**
   * Live: the source's clock or the machine's is not what it should be; once a
   * cause, each setting of the machine's clock.
   */
  readonly onClockFault?: (fault: ClockFault, detail: string) => void;
}

export interface FrameAssembler {
  /** Announces the presentation time of the next raw frame. False: times without raw frames pile up. */
  pts(ptsUs: number | undefined): boolean;
  /**
   * Takes the next raw frame. Frames come out once raw frame and time are there.
   * False: raw frames without times pile up.
   */
  rawFrame(data: Uint8Array): boolean;
  /** The source was opened anew: what comes next belongs to another segment. */
  restart(): void;
}

/** Times and raw frames come through two pipes: so much of one may wait for the other. */
const MOST_TIMES = 100_000;
const MOST_RAW_BYTES = 64 * 1024 ** 2;
const LEAST_RAW_FRAMES = 8;

/**
 * Pairs raw frames with their times and turns them into frames on a constant-rate grid.
 *
 * Within a segment: `ptsUs` = slots since its first frame ÷ fps, and capture time = the segment's origin +
 * pts. The origin of a live segment is the wall clock at its first raw frame, and the source's times are held
 * against that clock all along (source-clock.ts). The origin of a file is its start time plus media time,
 * holes included, which goes on where the last segment ended when the media clock steps back. Neither clock
 * ever steps back across segments, except where the machine's own clock was set back (`clock_set`).
 */
export function createFrameAssembler(
  options: AssemblerOptions,
  { onFrame, onDiscontinuity, onLate, onClockFault }: AssemblerHandlers,
): FrameAssembler {
  const { streamId, width, height, fps, kind, now, monotonic = now } = options;
  const grid = createSamplingGrid(fps);
  const clock = createSourceClock({ fps, steer: options.steer ?? true }, (fault, detail) =>
    onClockFault?.(fault, detail),
  );
  const mostRawFrames = Math.max(LEAST_RAW_FRAMES, Math.floor(MOST_RAW_BYTES / (width * height * 3)));
  const times: (number | undefined)[] = [];
  const rawFrames: Uint8Array[] = [];
  let last: Frame | undefined;
  let nextIndex = 0;
  let segment = -1;
  /** Slot and capture time of the segment's first frame. */
  let origin = { slot: 0, capturedAtMs: 0 };
  /** The same for the stream, moved when the media clock steps back; files only. */
  let media = { slot: 0, capturedAtMs: options.startTimeMs };

  return {
    pts(ptsUs) {
      times.push(ptsUs);
      pair();
      return times.length <= MOST_TIMES;
    },
    rawFrame(data) {
      rawFrames.push(data);
      pair();
      return rawFrames.length <= mostRawFrames;
    },
    restart() {
      times.length = 0;
      rawFrames.length = 0;
      grid.reset();
      clock.restart();
    },
  };

  function pair(): void {
    while (times.length > 0) {
      const data = rawFrames.shift();
      if (!data) return;
      place(times.shift(), data);
    }
  }

  function place(ptsUs: number | undefined, data: Uint8Array): void {
    if (kind === 'file') {
      put(grid.place(ptsUs), data);
      return;
    }
    const corrected = clock.correct(ptsUs, { monotonicMs: monotonic(), wallMs: now() });
    if (corrected.clockSetByMs !== 0) grid.reset();
    put(grid.place(corrected.ptsUs), data, corrected.clockSetByMs);
  }

  function put(placement: Placement, data: Uint8Array, clockSetByMs = 0): void {
    switch (placement.kind) {
      case 'late':
        onLate();
        return;
      case 'next':
        for (let slot = placement.slot - placement.holds; slot < placement.slot; slot += 1)
          emit(slot, last?.data ?? data);
        emit(placement.slot, data);
        return;
      case 'discontinuity': {
        const why = clockSetByMs === 0 ? placement.why : 'clock_set';
        const lastCapturedAtMs = last?.capturedAtMs;
        segment += 1;
        origin = { slot: placement.slot, capturedAtMs: originOf(placement.slot, why, clockSetByMs < 0) };
        if (kind === 'live') clock.anchor(origin.capturedAtMs);
        onDiscontinuity({
          why,
          segment,
          ...(lastCapturedAtMs === undefined ? {} : { lastCapturedAtMs }),
          capturedAtMs: origin.capturedAtMs,
        });
        emit(placement.slot, data);
      }
    }
  }

  function originOf(slot: number, why: Discontinuity['why'], setBack: boolean): number {
    const earliest = last ? last.capturedAtMs + 1000 / fps : -Infinity;
    if (kind === 'live') return setBack ? clock.arrivedAtMs : Math.max(clock.arrivedAtMs, earliest);
    if (why !== 'hole') media = { slot, capturedAtMs: last ? earliest : options.startTimeMs };
    return media.capturedAtMs + ((slot - media.slot) * 1000) / fps;
  }

  function emit(slot: number, data: Uint8Array): void {
    const ptsUs = Math.round(((slot - origin.slot) * 1_000_000) / fps);
    const capturedAtMs = origin.capturedAtMs + ptsUs / 1000;
    last = {
      streamId,
      index: nextIndex,
      segment,
      ptsUs,
      capturedAtMs,
      ingestedAtMs: now(),
      ...(kind === 'live' && { uncertaintyMs: clock.uncertaintyMs }),
      width,
      height,
      data,
    };
    nextIndex += 1;
    onFrame(last);
  }
}
