import type { FrameContents } from './frame-contents.ts';
import type { StreamGeometry } from './geometry.ts';

/** One call of the lower stage. Frames and steps are counted from the clip's first one. */
export interface LowerRun {
  /**
   * `padded`: its first frame is the segment's first. `continued`: real frames stand before, and
   * all steps that leave see them.
   */
  readonly left: 'padded' | 'continued';
  readonly firstFrame: number;
  readonly frames: number;
  /** The step that leaves first. */
  readonly firstStep: number;
}

/**
 * Where a step's features come from: a step kept from an earlier clip, or a step of this clip that
 * a run computes.
 */
type StepSource = { readonly kept: number } | { readonly run: number; readonly step: number };

export interface LowerPlan {
  readonly runs: readonly LowerRun[];
  /** One a step of the clip. */
  readonly sources: readonly StepSource[];
}

/**
 * Which steps of a clip the lower stage must compute: those whose key is neither among the `kept`
 * ones nor earlier in the clip, in as few runs as pay.
 */
export function planLower(
  geometry: StreamGeometry,
  {
    keys,
    kept,
    firstFrame,
  }: {
    readonly keys: readonly string[];
    readonly kept: readonly string[];
    /** Frames of the segment before the clip. */
    readonly firstFrame: number;
  },
): LowerPlan {
  const keptAt = new Map(kept.map((key, step) => [key, step]));
  const missing = new Map<string, number>();
  keys.forEach((key, step) => {
    if (!keptAt.has(key) && !missing.has(key)) missing.set(key, step);
  });
  const spans = mergeSteps([...missing.values()], geometry);
  const runs = spans.map((span) => runOf(span, geometry, firstFrame));
  const sources = keys.map((key) => {
    const at = keptAt.get(key);
    if (at !== undefined) return { kept: at };
    const step = missing.get(key)!;
    return { run: spans.findIndex(([first, last]) => first <= step && step <= last), step };
  });
  return { runs, sources };
}

type Span = readonly [first: number, last: number];

/**
 * Each run begins with frames that only its first step sees: a gap that costs less than they do is
 * computed through.
 */
function mergeSteps(steps: readonly number[], { jump, low, high }: StreamGeometry): readonly Span[] {
  const overlap = high - low + 1 - jump;
  const spans: Span[] = [];
  for (const step of steps) {
    const last = spans.at(-1);
    if (last && (step - last[1] - 1) * jump <= overlap) spans[spans.length - 1] = [last[0], step];
    else spans.push([step, step]);
  }
  return spans;
}

function runOf(
  [first, last]: Span,
  { jump, low, high, frames }: StreamGeometry,
  framesBefore: number,
): LowerRun {
  const reach = first * jump + low;
  const left = framesBefore + reach < 0 ? 'padded' : 'continued';
  const firstFrame = left === 'padded' ? -framesBefore : reach;
  const end = Math.min(frames, last * jump + high + 1);
  return {
    left,
    firstFrame,
    frames: end - firstFrame,
    firstStep: left === 'padded' ? -framesBefore / jump : first,
  };
}

/**
 * What each step of a clip sees, spelt out: the numbers of the frames in its temporal receptive
 * field, `s` for a frame before the segment's start, `e` for one after the clip's end (both are
 * padding there). Steps with equal keys have equal features: padding is a matter of where a step
 * lies, and the frame numbers say what it sees.
 *
 * @param firstFrame of the clip, counted from the segment's start; all that lie before and may be
 * seen are in `contents`
 */
export function stepKeys(
  { jump, low, high, frames, steps }: StreamGeometry,
  { from, numbers }: FrameContents,
  firstFrame: number,
): readonly string[] {
  const end = firstFrame + frames;
  return Array.from({ length: steps }, (_, step) => {
    const start = firstFrame + step * jump + low;
    const seen = Array.from({ length: high - low + 1 }, (_unused, i) => {
      const frame = start + i;
      if (frame < 0) return 's';
      return frame < end ? numbers[frame - from] : 'e';
    });
    return seen.join(' ');
  });
}
