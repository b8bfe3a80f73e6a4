import type { PublishedRecord } from '../../src/core/records.ts';

/** Two frames of 15 a second: time on either side of a gap is known to a frame. */
export const FRAMES_MS = 134;

/** Printed by runs. */
type Lines = readonly string[];
type Interval = readonly [fromMs: number, toMs: number];

/**
 * The longest time of a stream, ms, between its first and its last clip that is
 * in no clip and in no gap: time that nobody watched and nobody was told of.
 */
export function longestHole(lines: Lines, streamId: string): number {
  const records = recordsOfStream(lines, streamId);
  const clips = records.flatMap(clipOf);
  const [from, to] = [Math.min(...clips.map(([first]) => first)), Math.max(...clips.map(([, last]) => last))];
  let [known, longest] = [from, 0];
  for (const [first, last] of [...clips, ...records.flatMap(gapOf)].sort(([a], [b]) => a - b)) {
    longest = Math.max(longest, Math.min(first, to) - known);
    known = Math.max(known, last);
  }
  return longest;
}

/** All that was told of as not watched, ms. */
export function toldUnwatched(lines: Lines, streamId: string): number {
  const gaps = recordsOfStream(lines, streamId).flatMap(gapOf);
  return gaps.reduce((sum, [from, to]) => sum + to - from, 0);
}

function recordsOfStream(lines: Lines, streamId: string): readonly PublishedRecord[] {
  const records = lines.map((line) => JSON.parse(line) as PublishedRecord);
  return records.filter(({ payload }) => payload.stream_id === streamId);
}

function clipOf({ type, payload }: PublishedRecord): readonly Interval[] {
  return type === 'clip.stats' ? [[Date.parse(payload.clip_start), Date.parse(payload.clip_end)]] : [];
}

function gapOf({ type, payload }: PublishedRecord): readonly Interval[] {
  if (type !== 'stream.status' || payload.gap === undefined) return [];
  return [[Date.parse(payload.gap.from), Date.parse(payload.gap.to)]];
}
