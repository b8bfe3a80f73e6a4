import type { Frame } from '../core/frame.ts';
import { createSamplingGrid, type Placement, type SamplingGrid } from './sampling-grid.ts';
import { createSourceClock, type ClockFault, type SourceClock } from './source-clock.ts';

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
  /** A time of the source and the event time that it stands for, as of the newest raw frame. */
  readonly newest: { readonly sourceUs: number; readonly capturedAtMs: number } | undefined;
  /** The same of the first frame of the segment; files only. */
  readonly origin: { readonly sourceUs: number; readonly capturedAtMs: number };
}

/** Times and raw frames come through two pipes: so much of one may wait for the other. */
const MOST_TIMES = 100_000;
const MOST_RAW_BYTES = 64 * 1024 ** 2;
const LEAST_RAW_FRAMES = 8;

/** Builds without I/O; frames leave through `handlers`, in the call that completes them. */
export function createFrameAssembler(options: AssemblerOptions, handlers: AssemblerHandlers): FrameAssembler {
  return new GridAssembler(options, handlers);
}

/**
 * Pairs raw frames with their times and turns them into frames on a constant-rate grid.
 *
 * Within a segment: `ptsUs` = slots since its first frame ÷ fps, and capture time = the segment's origin +
 * pts. The origin of a live segment is the wall clock at its first raw frame, and the source's times are held
 * against that clock all along (source-clock.ts). The origin of a file is its start time plus media time,
 * holes included, which goes on where the last segment ended when the media clock steps back. Neither clock
 * ever steps back across segments, except where the machine's own clock was set back (`clock_set`).
 */
class GridAssembler implements FrameAssembler {
  readonly #options: AssemblerOptions;
  readonly #handlers: AssemblerHandlers;
  readonly #grid: SamplingGrid;
  readonly #clock: SourceClock;
  readonly #mostRawFrames: number;
  readonly #times: (number | undefined)[] = [];
  readonly #rawFrames: Uint8Array[] = [];
  #last: Frame | undefined;
  #nextIndex = 0;
  #segment = -1;
  /** Slot and capture time of the segment's first frame. */
  #origin = { slot: 0, capturedAtMs: 0 };
  #newest: { readonly sourceUs: number; readonly capturedAtMs: number } | undefined;
  /** The same for the stream, moved when the media clock steps back; files only. */
  #media: { readonly slot: number; readonly capturedAtMs: number };

  constructor(options: AssemblerOptions, handlers: AssemblerHandlers) {
    const { width, height, fps, steer = true, startTimeMs } = options;
    this.#options = options;
    this.#handlers = handlers;
    this.#grid = createSamplingGrid(fps);
    this.#clock = createSourceClock({ fps, steer }, (fault, detail) =>
      handlers.onClockFault?.(fault, detail),
    );
    this.#mostRawFrames = Math.max(LEAST_RAW_FRAMES, Math.floor(MOST_RAW_BYTES / (width * height * 3)));
    this.#media = { slot: 0, capturedAtMs: startTimeMs };
  }

  get newest(): { readonly sourceUs: number; readonly capturedAtMs: number } | undefined {
    return this.#newest;
  }

  get origin(): { readonly sourceUs: number; readonly capturedAtMs: number } {
    const { slot, capturedAtMs } = this.#origin;
    return { sourceUs: (slot * 1_000_000) / this.#options.fps, capturedAtMs };
  }

  pts(ptsUs: number | undefined): boolean {
    this.#times.push(ptsUs);
    this.#pair();
    return this.#times.length <= MOST_TIMES;
  }

  rawFrame(data: Uint8Array): boolean {
    this.#rawFrames.push(data);
    this.#pair();
    return this.#rawFrames.length <= this.#mostRawFrames;
  }

  restart(): void {
    this.#times.length = 0;
    this.#rawFrames.length = 0;
    this.#newest = undefined;
    this.#grid.reset();
    this.#clock.restart();
  }

  #pair(): void {
    while (this.#times.length > 0) {
      const data = this.#rawFrames.shift();
      if (!data) return;
      this.#place(this.#times.shift(), data);
    }
  }

  #place(ptsUs: number | undefined, data: Uint8Array): void {
    const { kind, now, monotonic = now } = this.#options;
    if (kind === 'file') {
      this.#put(this.#grid.place(ptsUs), data);
      return;
    }
    const corrected = this.#clock.correct(ptsUs, { monotonicMs: monotonic(), wallMs: now() });
    if (corrected.clockSetByMs !== 0) this.#grid.reset();
    this.#put(this.#grid.place(corrected.ptsUs), data, corrected.clockSetByMs);
    if (ptsUs === undefined) return;
    const sinceOriginMs = (corrected.ptsUs - this.origin.sourceUs) / 1000;
    this.#newest = { sourceUs: ptsUs, capturedAtMs: this.#origin.capturedAtMs + sinceOriginMs };
  }

  #put(placement: Placement, data: Uint8Array, clockSetByMs = 0): void {
    switch (placement.kind) {
      case 'late':
        this.#handlers.onLate();
        return;
      case 'next':
        for (let slot = placement.slot - placement.holds; slot < placement.slot; slot += 1)
          this.#emit(slot, this.#last?.data ?? data);
        this.#emit(placement.slot, data);
        return;
      case 'discontinuity':
        this.#beginSegment(placement, clockSetByMs);
        this.#emit(placement.slot, data);
    }
  }

  #beginSegment(
    { slot, why: reason }: Extract<Placement, { kind: 'discontinuity' }>,
    clockSetByMs: number,
  ): void {
    const why = clockSetByMs === 0 ? reason : 'clock_set';
    const lastCapturedAtMs = this.#last?.capturedAtMs;
    const capturedAtMs = this.#originOf(slot, why, clockSetByMs < 0);
    this.#segment += 1;
    this.#origin = { slot, capturedAtMs };
    if (this.#options.kind === 'live') this.#clock.anchor(capturedAtMs);
    this.#handlers.onDiscontinuity({
      why,
      segment: this.#segment,
      ...(lastCapturedAtMs === undefined ? {} : { lastCapturedAtMs }),
      capturedAtMs,
    });
  }

  #originOf(slot: number, why: Discontinuity['why'], isSetBack: boolean): number {
    const { kind, fps, startTimeMs } = this.#options;
    const earliest = this.#last ? this.#last.capturedAtMs + 1000 / fps : -Infinity;
    const { arrivedAtMs } = this.#clock;
    if (kind === 'live') return isSetBack ? arrivedAtMs : Math.max(arrivedAtMs, earliest);
    if (why !== 'hole') this.#media = { slot, capturedAtMs: this.#last ? earliest : startTimeMs };
    return this.#media.capturedAtMs + ((slot - this.#media.slot) * 1000) / fps;
  }

  #emit(slot: number, data: Uint8Array): void {
    const { streamId, width, height, fps, kind, now } = this.#options;
    const ptsUs = Math.round(((slot - this.#origin.slot) * 1_000_000) / fps);
    const frame: Frame = {
      streamId,
      index: this.#nextIndex,
      segment: this.#segment,
      ptsUs,
      capturedAtMs: this.#origin.capturedAtMs + ptsUs / 1000,
      ingestedAtMs: now(),
      ...(kind === 'live' && { uncertaintyMs: this.#clock.uncertaintyMs }),
      width,
      height,
      data,
    };
    this.#last = frame;
    this.#nextIndex += 1;
    this.#handlers.onFrame(frame);
  }
}
