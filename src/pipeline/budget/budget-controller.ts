/** What the live streams cost and suffer at present. */
export interface BudgetReading {
  /** Multiply-adds a second of the last seconds. */
  readonly multiplyAddsPerSecond: number;
  /**
   * 95th percentile of the time from a clip's last frame to its scores, of the
   * last seconds; 0 where there was no clip.
   */
  readonly p95LatencyMs: number;
  /** Share of the engines' time that live clips took, 0 to 1. */
  readonly utilisation: number;
  /** Clips that wait in the fullest queue, as a share of its capacity: at 1 the next one is dropped. */
  readonly backlog: number;
}

export interface BudgetTargets {
  readonly multiplyAddsPerSecond?: number;
  readonly p95LatencyMs: number;
  /** δ is raised to so many times its configured value at most. */
  readonly maxDeltaScale: number;
}

export interface BudgetController {
  /** The factor for δ, at least 1. Call it regularly, with a clock that never steps back. */
  observe(reading: BudgetReading, nowMs: number): number;
  readonly deltaScale: number;
}

/** δ grows by 2^(1/4) a level. */
const LEVELS_AN_OCTAVE = 4;
/** Clips in work at a change still have the old δ: what follows is judged only after so long. */
const SETTLE_MS = 1000;
/** A backlog from which clips are at risk, and one at which the next ones are lost. */
const BACKLOG = { high: 0.5, critical: 0.75 } as const;
/**
 * A clip that waits its turn is no overload, though it may fill a queue of one: a high backlog counts
 * where it stands at two observations in a row and engines are busy, or for so long whatever they do.
 */
const STANDING_MS = 1000;
/**
 * δ falls only below this share of the targets and of the engines' time, so that one level less still fits.
 */
const SPARE = { load: 0.9, utilisation: 0.8 } as const;
/** Time without overload before δ falls by a level; doubled whenever that turned out too early. */
const REST_MS = { first: 3000, longest: 60_000 } as const;

/**
 * Holds the compute budget by the one means that costs accuracy before it costs clips:
 * the bin width δ of the sampler. A level is held, and from it, at each observation:
 *
 * - **settling**, for SETTLE_MS after a change: nothing happens, except that a
 *   critical backlog goes on to *overload*.
 * - **overload**: a target is exceeded or a high backlog stands. δ rises by 1 to 4 levels, the more the
 *   further away the target is; at a critical backlog at once to the top. Then *settling*. Where the last
 *   change was downwards and not long ago, that was a mistake, and the rest before the next one doubles.
 * - **spare**: every target is met with a margin and the engines have time left. After a rest without
 *   interruption δ falls by one level; then *settling*. A rest that brought no overload halves the next one.
 * - **holding**: in between. Nothing happens, and the rest begins anew. This dead band is the hysteresis.
 *
 * So δ changes once a second at most (but for a critical backlog), stays within [1,
 * maxDeltaScale] times what was configured, rises within seconds and falls back slowly.
 */
export function createBudgetController(targets: BudgetTargets): BudgetController {
  const top = Math.max(0, Math.floor(LEVELS_AN_OCTAVE * Math.log2(targets.maxDeltaScale) + 1e-9));
  let level = 0;
  let settledAtMs = -Infinity;
  let spareSinceMs: number | undefined;
  let loweredAtMs = -Infinity;
  let restMs: number = REST_MS.first;
  let highSinceMs: number | undefined;

  const change = (next: number, nowMs: number): void => {
    level = Math.min(top, Math.max(0, next));
    settledAtMs = nowMs + SETTLE_MS;
    spareSinceMs = undefined;
  };

  /** The backlog as far as it stands, else 0. */
  const standingBacklog = ({ backlog, utilisation }: BudgetReading, nowMs: number): number => {
    const sinceMs = highSinceMs;
    highSinceMs = backlog >= BACKLOG.high ? (sinceMs ?? nowMs) : undefined;
    if (highSinceMs === undefined || sinceMs === undefined) return 0;
    return utilisation > SPARE.utilisation || nowMs - sinceMs >= STANDING_MS ? backlog : 0;
  };

  const observe = (reading: BudgetReading, nowMs: number): void => {
    const load = loadOf(reading, targets);
    const backlog = standingBacklog(reading, nowMs);
    const critical = backlog >= BACKLOG.critical;
    if (nowMs < settledAtMs && !critical) return;
    if (load > 1 || backlog >= BACKLOG.high) {
      spareSinceMs = undefined;
      if (level === top) return;
      if (nowMs - loweredAtMs < 2 * restMs) restMs = Math.min(REST_MS.longest, 2 * restMs);
      loweredAtMs = -Infinity;
      change(critical ? top : level + stepsFor(load, backlog), nowMs);
      return;
    }
    if (load > SPARE.load || reading.utilisation > SPARE.utilisation || level === 0) {
      spareSinceMs = undefined;
      return;
    }
    spareSinceMs ??= nowMs;
    if (nowMs - spareSinceMs < restMs) return;
    if (nowMs - loweredAtMs < 4 * restMs) restMs = Math.max(REST_MS.first, restMs / 2);
    loweredAtMs = nowMs;
    change(level - 1, nowMs);
  };

  const scale = (): number => 2 ** (level / LEVELS_AN_OCTAVE);
  return {
    observe(reading, nowMs) {
      observe(reading, nowMs);
      return scale();
    },
    get deltaScale() {
      return scale();
    },
  };
}

/** How much of the tightest target is used: above 1 it is exceeded. */
function loadOf(reading: BudgetReading, targets: BudgetTargets): number {
  const { multiplyAddsPerSecond = Infinity, p95LatencyMs } = targets;
  return Math.max(reading.multiplyAddsPerSecond / multiplyAddsPerSecond, reading.p95LatencyMs / p95LatencyMs);
}

/**
 * The kept steps, and with them what lies above the cut, fall about as δ rises:
 * an excess of 19 % asks for a level.
 */
function stepsFor(load: number, backlog: number): number {
  const least = backlog >= BACKLOG.high ? 2 : 1;
  return Math.min(LEVELS_AN_OCTAVE, Math.max(least, Math.round(LEVELS_AN_OCTAVE * Math.log2(load))));
}
