import { slopeOf } from './robust-slope.ts';

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
export function createSourceClock(
  { fps, steer }: SourceClockOptions,
  onFault: (fault: ClockFault, detail: string) => void,
): SourceClock {
  const slotMs = 1000 / fps;
  const deadBandMs = Math.max(DEAD_BAND_MS, slotMs);
  let wallOffsetMs: number | undefined;
  let last: { ptsMs: number; atMs: number; arrivedMs: number } | undefined;
  /** Delay that event time assumes: origin − source time at the origin. */
  let originDelayMs = 0;
  let anchoredAtMs = 0;
  let correctionSlots = 0;
  let budgetMs = 0;
  let drift = 0;
  let driftTold = false;
  let timesMissed = false;
  let buckets: Bucket[] = [];

  return {
    correct(ptsUs, arrival) {
      const elapsedMs = last ? Math.max(0, arrival.monotonicMs - last.atMs) : 0;
      const clockSetByMs = followWall(arrival, elapsedMs);
      const arrivedMs = arrival.monotonicMs + (wallOffsetMs ?? 0);
      const ptsMs = timeOf(ptsUs, elapsedMs);
      last = { ptsMs, atMs: arrival.monotonicMs, arrivedMs };
      note({ atMs: arrival.monotonicMs, delayMs: arrivedMs - ptsMs });
      if (clockSetByMs === 0) steerTowards(arrival.monotonicMs, elapsedMs);
      return { ptsUs: Math.round((ptsMs + correctionSlots * slotMs) * 1000), clockSetByMs };
    },
    anchor(originMs) {
      if (!last) return;
      originDelayMs = originMs - last.ptsMs - correctionSlots * slotMs;
      anchoredAtMs = last.atMs;
      buckets = [{ atMs: last.atMs, delayMs: last.arrivedMs - last.ptsMs }];
      budgetMs = 0;
    },
    restart() {
      last = undefined;
      correctionSlots = 0;
      budgetMs = 0;
      buckets = [];
    },
    get arrivedAtMs() {
      return last?.arrivedMs ?? 0;
    },
    get uncertaintyMs() {
      const steady = last !== undefined && last.atMs - anchoredAtMs >= STEADY_AFTER_MS;
      const assumedMs = originDelayMs + correctionSlots * slotMs;
      const errors = buckets.slice(-RECENT_BUCKETS).map(({ delayMs }) => Math.abs(delayMs - assumedMs));
      return Math.ceil(UNSEEN_DELAY_MS + slotMs + Math.max(...errors, 0) + (steady ? 0 : UNSTEADY_MS));
    },
  };

  /** Without a time of its own a frame takes its arrival. */
  function timeOf(ptsUs: number | undefined, elapsedMs: number): number {
    if (ptsUs !== undefined) return ptsUs / 1000;
    if (!timesMissed) onFault('no_times', 'frames come without times: their arrival stands in');
    timesMissed = true;
    return (last?.ptsMs ?? 0) + elapsedMs;
  }

  /** The step of the machine's clock, where it is more than is followed smoothly; else 0. */
  function followWall({ monotonicMs, wallMs }: Arrival, elapsedMs: number): number {
    const offsetMs = wallMs - monotonicMs;
    const stepMs = wallOffsetMs === undefined ? 0 : offsetMs - wallOffsetMs;
    if (wallOffsetMs === undefined || Math.abs(stepMs) > STEP_MS) {
      wallOffsetMs = offsetMs;
      if (stepMs !== 0)
        onFault('machine_clock_set', `the machine's clock was set by ${(stepMs / 1000).toFixed(1)} s`);
      return stepMs;
    }
    const reachMs = Math.min(Math.abs(stepMs), STEP_SLEW * elapsedMs);
    wallOffsetMs += Math.sign(stepMs) * reachMs;
    return 0;
  }

  function note(sample: Bucket): void {
    const current = buckets.at(-1);
    if (!current || sample.atMs - current.atMs >= BUCKET_MS) {
      buckets = [...buckets, sample].slice(-BUCKETS);
    } else if (sample.delayMs < current.delayMs) {
      buckets[buckets.length - 1] = { atMs: current.atMs, delayMs: sample.delayMs };
    }
  }

  function steerTowards(nowMs: number, elapsedMs: number): void {
    drift = driftOf(buckets.slice(0, -1));
    if (drift !== 0) tellDrift(`runs at ${(1 - drift).toFixed(3)} of the wall clock`);
    const levels = buckets.map(({ atMs, delayMs }) => delayMs + drift * (nowMs - atMs));
    const errorMs = Math.min(...levels) - originDelayMs - correctionSlots * slotMs;
    if (!steer) return;
    const rate = Math.abs(drift) + SLEW;
    budgetMs = Math.min(budgetMs + rate * elapsedMs, slotMs * (1 + 2 * rate));
    if (Math.abs(errorMs) <= deadBandMs) return;
    // One slot back at a time: more would take frames for a step back of the source.
    const slots = Math.max(
      -1,
      Math.trunc((Math.sign(errorMs) * Math.min(Math.abs(errorMs), budgetMs)) / slotMs),
    );
    correctionSlots += slots;
    budgetMs -= Math.abs(slots) * slotMs;
    if (buckets.length === BUCKETS && Math.abs(correctionSlots * slotMs) >= TOLD_CORRECTION_MS)
      tellDrift(`has moved by ${TOLD_CORRECTION_MS / 1000} s against the wall clock`);
  }

  function tellDrift(what: string): void {
    if (driftTold) return;
    driftTold = true;
    const then = steer ? 'event times follow the wall clock' : 'event times follow the source';
    onFault('drift', `the source's clock ${what}: ${then}`);
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
