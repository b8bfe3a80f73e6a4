import { median } from '../core/median.ts';

/** When a frame reached us, in milliseconds: on a clock that never steps, and on the machine's wall clock. */
export interface Arrival {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export interface CorrectedTime {
  /** Presentation time on the grid's scale: the source's own plus a whole number of slots. */
  readonly ptsUs: number;
  /** By how much the machine's clock was set, if it was: the frame begins a segment at the new time. */
  readonly clockSetByMs: number;
}

export type ClockFault = 'drift' | 'machine_clock_set' | 'no_times';

/** The clock of a live source, held against the wall clock all along. */
export interface SourceClock {
  correct(ptsUs: number | undefined, arrival: Arrival): CorrectedTime;
  /** A segment begins with the frame that was corrected last, at this event time. */
  anchor(originMs: number): void;
  /** The source was opened anew. */
  restart(): void;
  /**
   * The frame's arrival on the wall clock, without the steps of less than two
   * seconds that are still being followed.
   */
  readonly arrivedAtMs: number;
  /** How far event times may be from the truth now, as far as arrivals tell. */
  readonly uncertaintyMs: number;
}

export interface SourceClockOptions {
  readonly fps: number;
  /** False where arrivals tell of our own pace: then nothing is corrected, only measured. */
  readonly steer: boolean;
}

/** What delays a frame before it arrives (exposure, encoder, network, decoder) cannot be seen from here. */
const UNSEEN_DELAY_MS = 500;
/** A source that hands out stored frames when it is opened looks late until it has caught up. */
const UNSTEADY_MS = 1000;
const STEADY_AFTER_MS = 2000;
const BUCKET_MS = 1000;
const BUCKETS = 10;
const BUCKETS_FOR_DRIFT = 5;
/** Slower drift is followed by position alone; so is one that the scatter of delays could feign. */
const LEAST_DRIFT = 0.02;
const LEAST_DRIFT_TO_SCATTER = 3;
/** Event times that have moved so far against the source's clock show a slow drift. */
const TOLD_CORRECTION_MS = 1000;
/** Uncertainty looks at the last of the buckets. */
const RECENT_BUCKETS = 3;
/** Event time runs at most so much faster or slower than the source says, beyond its drift. */
const SLEW = 0.25;
const DEAD_BAND_MS = 100;
/** A larger step of the machine's clock is taken at once, as a discontinuity; a smaller one is followed. */
const STEP_MS = 2000;
const STEP_SLEW = 0.05;

/** Least delay (arrival − source time) of the frames of about one second. */
interface Bucket {
  readonly atMs: number;
  readonly delayMs: number;
}

/** A clock for one source; `onFault` hears each kind of fault once. */
export function createSourceClock(
  options: SourceClockOptions,
  onFault: (fault: ClockFault, detail: string) => void,
): SourceClock {
  return new SteeredClock(options, onFault);
}

/**
 * Event time = the segment's origin + source time + correction. The origin is
 * the arrival of the segment's first frame. Networks only ever delay, so the
 * least delay of recent seconds shows the true distance between the two clocks:
 *
 * - its level falls below the origin's: the first frames were stored ones, and event time is ahead;
 * - it rises or falls steadily: the source's clock drifts, or its stamps lie about the rate;
 * - a single late second changes nothing.
 *
 * The correction follows in whole slots of the grid, so that frames stay on it: a slot more repeats a frame,
 * a slot less gives one up. It never lets time go back within a segment. A step of the machine's clock shows
 * as a change between its wall clock and its monotonic one, and is distinguished from the source's.
 */
class SteeredClock implements SourceClock {
  readonly #steer: boolean;
  readonly #onFault: (fault: ClockFault, detail: string) => void;
  readonly #slotMs: number;
  readonly #deadBandMs: number;
  #wallOffsetMs: number | undefined;
  #last: { ptsMs: number; atMs: number; arrivedMs: number } | undefined;
  /** Delay that event time assumes: origin − source time at the origin. */
  #originDelayMs = 0;
  #anchoredAtMs = 0;
  #correctionSlots = 0;
  #budgetMs = 0;
  #driftTold = false;
  #timesMissed = false;
  #buckets: Bucket[] = [];

  constructor({ fps, steer }: SourceClockOptions, onFault: (fault: ClockFault, detail: string) => void) {
    this.#steer = steer;
    this.#onFault = onFault;
    this.#slotMs = 1000 / fps;
    this.#deadBandMs = Math.max(DEAD_BAND_MS, this.#slotMs);
  }

  correct(ptsUs: number | undefined, arrival: Arrival): CorrectedTime {
    const elapsedMs = this.#last ? Math.max(0, arrival.monotonicMs - this.#last.atMs) : 0;
    const clockSetByMs = this.#followWall(arrival, elapsedMs);
    const arrivedMs = arrival.monotonicMs + (this.#wallOffsetMs ?? 0);
    const ptsMs = this.#timeOf(ptsUs, elapsedMs);
    this.#last = { ptsMs, atMs: arrival.monotonicMs, arrivedMs };
    this.#note({ atMs: arrival.monotonicMs, delayMs: arrivedMs - ptsMs });
    if (clockSetByMs === 0) this.#steerTowards(arrival.monotonicMs, elapsedMs);
    return { ptsUs: Math.round((ptsMs + this.#correctionMs) * 1000), clockSetByMs };
  }

  anchor(originMs: number): void {
    if (!this.#last) return;
    const { ptsMs, atMs, arrivedMs } = this.#last;
    this.#originDelayMs = originMs - ptsMs - this.#correctionMs;
    this.#anchoredAtMs = atMs;
    this.#buckets = [{ atMs, delayMs: arrivedMs - ptsMs }];
    this.#budgetMs = 0;
  }

  restart(): void {
    this.#last = undefined;
    this.#correctionSlots = 0;
    this.#budgetMs = 0;
    this.#buckets = [];
  }

  get arrivedAtMs(): number {
    return this.#last?.arrivedMs ?? 0;
  }

  get uncertaintyMs(): number {
    const isSteady = this.#last !== undefined && this.#last.atMs - this.#anchoredAtMs >= STEADY_AFTER_MS;
    const assumedMs = this.#originDelayMs + this.#correctionMs;
    const errors = this.#buckets.slice(-RECENT_BUCKETS).map(({ delayMs }) => Math.abs(delayMs - assumedMs));
    return Math.ceil(UNSEEN_DELAY_MS + this.#slotMs + Math.max(...errors, 0) + (isSteady ? 0 : UNSTEADY_MS));
  }

  get #correctionMs(): number {
    return this.#correctionSlots * this.#slotMs;
  }

  /** Without a time of its own a frame takes its arrival. */
  #timeOf(ptsUs: number | undefined, elapsedMs: number): number {
    if (ptsUs !== undefined) return ptsUs / 1000;
    if (!this.#timesMissed) this.#onFault('no_times', 'frames come without times: their arrival stands in');
    this.#timesMissed = true;
    return (this.#last?.ptsMs ?? 0) + elapsedMs;
  }

  /** The step of the machine's clock, where it is more than is followed smoothly; else 0. */
  #followWall({ monotonicMs, wallMs }: Arrival, elapsedMs: number): number {
    const offsetMs = wallMs - monotonicMs;
    const stepMs = this.#wallOffsetMs === undefined ? 0 : offsetMs - this.#wallOffsetMs;
    if (this.#wallOffsetMs === undefined || Math.abs(stepMs) > STEP_MS) {
      this.#wallOffsetMs = offsetMs;
      if (stepMs !== 0)
        this.#onFault('machine_clock_set', `the machine's clock was set by ${(stepMs / 1000).toFixed(1)} s`);
      return stepMs;
    }
    const reachMs = Math.min(Math.abs(stepMs), STEP_SLEW * elapsedMs);
    this.#wallOffsetMs += Math.sign(stepMs) * reachMs;
    return 0;
  }

  #note(sample: Bucket): void {
    const buckets = this.#buckets;
    const current = buckets.at(-1);
    if (!current || sample.atMs - current.atMs >= BUCKET_MS) {
      this.#buckets = [...buckets, sample].slice(-BUCKETS);
    } else if (sample.delayMs < current.delayMs) {
      buckets[buckets.length - 1] = { atMs: current.atMs, delayMs: sample.delayMs };
    }
  }

  #steerTowards(nowMs: number, elapsedMs: number): void {
    const drift = driftOf(this.#buckets.slice(0, -1));
    if (drift !== 0) this.#tellDrift(`runs at ${(1 - drift).toFixed(3)} of the wall clock`);
    const levels = this.#buckets.map(({ atMs, delayMs }) => delayMs + drift * (nowMs - atMs));
    const errorMs = Math.min(...levels) - this.#originDelayMs - this.#correctionMs;
    if (!this.#steer) return;
    const rate = Math.abs(drift) + SLEW;
    this.#budgetMs = Math.min(this.#budgetMs + rate * elapsedMs, this.#slotMs * (1 + 2 * rate));
    if (Math.abs(errorMs) <= this.#deadBandMs) return;
    const reachMs = Math.sign(errorMs) * Math.min(Math.abs(errorMs), this.#budgetMs);
    // One slot back at a time: more would take frames for a step back of the source.
    const slots = Math.max(-1, Math.trunc(reachMs / this.#slotMs));
    this.#correctionSlots += slots;
    this.#budgetMs -= Math.abs(slots) * this.#slotMs;
    if (this.#buckets.length === BUCKETS && Math.abs(this.#correctionMs) >= TOLD_CORRECTION_MS)
      this.#tellDrift(`has moved by ${TOLD_CORRECTION_MS / 1000} s against the wall clock`);
  }

  #tellDrift(what: string): void {
    if (this.#driftTold) return;
    this.#driftTold = true;
    const then = this.#steer ? 'event times follow the wall clock' : 'event times follow the source';
    this.#onFault('drift', `the source's clock ${what}: ${then}`);
  }
}

/** How much the delay grows a second, where that is no scatter; 0 where it is. */
function driftOf(buckets: readonly Bucket[]): number {
  const [first] = buckets;
  const last = buckets.at(-1);
  if (!first || !last || buckets.length < BUCKETS_FOR_DRIFT) return 0;
  const slope = slopeOf(buckets.map(({ atMs, delayMs }) => [atMs, delayMs] as const));
  const residuals = buckets.map(({ atMs, delayMs }) => delayMs - slope * (atMs - first.atMs));
  const scatterMs = Math.max(...residuals) - Math.min(...residuals);
  const changeMs = Math.abs(slope) * (last.atMs - first.atMs);
  return Math.abs(slope) >= LEAST_DRIFT && changeMs >= LEAST_DRIFT_TO_SCATTER * scatterMs ? slope : 0;
}

/**
 * Slope of the line through points, as the median of the slopes of all pairs (Theil–Sen): a few
 * outliers change nothing.
 */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points.flatMap(([x0, y0], index) =>
    points.slice(index + 1).flatMap(([x1, y1]) => (x1 === x0 ? [] : [(y1 - y0) / (x1 - x0)])),
  );
  return slopes.length === 0 ? 0 : median(slopes);
}
