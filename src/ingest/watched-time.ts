import type { Clip, StreamGap } from '../core/frame.ts';
import type { WindowOptions } from './types.ts';

/** What of a stream's time no scored clip covers, reported as gaps. */
export interface WatchedTime {
  /** A clip waits to be scored. */
  formed(clip: Clip): void;
  /** The clip was scored: its time is watched. */
  watched(clip: Clip): void;
  /** The clip was given up: other clips may cover its time, or nobody does. */
  lost(clip: Clip, reason: string): void;
  /** A segment begins at `startMs`: tells at once what lies between it and the last clip. */
  broke(startMs: number, reason: string): void;
  /** No more clips: tells what is left. */
  end(): void;
  /** End of the last scored clip. */
  readonly untilMs: number | undefined;
}

interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Two sums of doubles that are equal on paper differ by less. */
const ROUNDING_MS = 0.5;
/** Gaps reported ahead of the scored clips, before the time of lost clips between them is reported too. */
const MOST_AHEAD = 16;

/**
 * Follows the clips of one stream, oldest first: formed → scored or lost. Gaps are half-open,
 * do not overlap, and follow from this alone: time is watched where a scored clip lies. A gap
 * between clips is reported when the next clip has been scored, so neighbouring drops make one gap,
 * and at most one follows each scored clip; a gap between segments is reported when the new segment
 * begins. A stride longer than the clip leaves holes by the settings: they are no gaps.
 *
 * @param sinceMs until when an earlier run watched; absent: what comes before
 *   the first frame is not our matter
 */
export function createWatchedTime(
  { frames, stride, fps, sinceMs }: Pick<WindowOptions, 'frames' | 'stride' | 'fps'> & { sinceMs?: number },
  onGap: (gap: Omit<StreamGap, 'streamId'>) => void,
): WatchedTime {
  const toleranceMs = ROUNDING_MS + (Math.max(0, stride - frames) * 1000) / fps;
  let untilMs = sinceMs;
  let formedUntilMs = sinceMs ?? -Infinity;
  let living: Clip[] = [];
  let reported: Interval[] = [];
  let lostReason = 'freshest';

  return {
    formed(clip) {
      living.push(clip);
      formedUntilMs = Math.max(formedUntilMs, clip.endedAtMs);
    },
    watched(clip) {
      if (!remove(clip)) return;
      reportHoles(clip.startedAtMs);
      untilMs = Math.max(untilMs ?? -Infinity, clip.endedAtMs);
      forget(untilMs);
    },
    lost(clip, reason) {
      if (remove(clip)) lostReason = reason;
    },
    broke(startMs, reason) {
      if (startMs < formedUntilMs - ROUNDING_MS) stepBack();
      const ends = [untilMs, reported.at(-1)?.toMs, ...living.map(({ endedAtMs }) => endedAtMs)];
      const fromMs = Math.max(...ends.map((ms) => ms ?? -Infinity));
      if (fromMs !== -Infinity && startMs - fromMs > toleranceMs) tell({ fromMs, toMs: startMs }, reason);
      untilMs ??= startMs;
      formedUntilMs = startMs;
      if (reported.length > MOST_AHEAD) reportHoles(startMs);
    },
    end() {
      reportHoles(formedUntilMs);
    },
    get untilMs() {
      return untilMs;
    },
  };

  function remove(clip: Clip): boolean {
    const index = living.indexOf(clip);
    if (index >= 0) living.splice(index, 1);
    return index >= 0;
  }

  /** The clock was set back: what waits will be scored, and time begins anew. */
  function stepBack(): void {
    reportHoles(formedUntilMs);
    living = [];
    reported = [];
    untilMs = undefined;
  }

  /** Tells what nothing covers between the last scored clip and `beforeMs`. */
  function reportHoles(beforeMs: number): void {
    if (untilMs === undefined) return;
    let fromMs = untilMs;
    const waiting = living.map(({ startedAtMs, endedAtMs }) => ({ fromMs: startedAtMs, toMs: endedAtMs }));
    const covered = [...waiting, ...reported].sort((a, b) => a.fromMs - b.fromMs);
    for (const next of [...covered, { fromMs: beforeMs, toMs: beforeMs }]) {
      const toMs = Math.min(next.fromMs, beforeMs);
      if (toMs - fromMs > toleranceMs) tell({ fromMs, toMs }, lostReason);
      fromMs = Math.max(fromMs, next.toMs);
    }
  }

  function tell(gap: Interval, reason: string): void {
    onGap({ ...gap, reason });
    reported = mergeTouching([...reported, gap]);
  }

  function forget(beforeMs: number): void {
    reported = reported.filter(({ toMs }) => toMs > beforeMs);
  }
}

function mergeTouching(intervals: readonly Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const next of [...intervals].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    if (last && next.fromMs - last.toMs <= ROUNDING_MS) {
      merged[merged.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, next.toMs) };
    } else merged.push(next);
  }
  return merged;
}
