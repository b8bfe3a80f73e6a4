import { useMemo } from 'preact/hooks';
import type { ActionEvent, ApiProblem, ClipStats, Gap } from '../../../src/client/index.ts';
import { loadEvents } from '../api/events.ts';
import { answerOf, api } from '../api/session.ts';
import { useAnswer } from '../api/use-answer.ts';
import type { LiveStream } from './live-stream.ts';
import { now } from './now.ts';

/** What a stream did in an interval, in milliseconds since 1970. */
export interface Timeline {
  readonly from: number;
  readonly to: number;
  /** By time of their ends. */
  readonly clips: readonly ClipStats[];
  readonly episodes: readonly ActionEvent[];
  readonly gaps: readonly Gap[];
  readonly isLoading: boolean;
  /** Why history is not there; what arrived live is. */
  readonly problem: ApiProblem | undefined;
}

const PAGE = 1000;
const MOST_PAGES = 6;
/** An episode that began so long before the interval may still reach into it. */
const LONGEST_EPISODE_MS = 3_600_000;

/** @param until end of the interval; undefined: now, and on with the time */
export function useTimeline(stream: LiveStream, spanMs: number, until: number | undefined): Timeline {
  const to = until ?? endOf(stream);
  const from = to - spanMs;
  const held = useAnswer(
    (signal) => loadHistory(stream.id, { from, to }, signal),
    [stream.id, spanMs, until],
  );
  const { clips, episodes, gaps } = useMemo(
    () => ({
      clips: merged(held.value?.clips, stream.clips.value, ({ clip_id: id }) => id)
        .filter(({ clip_end: end }) => isWithin(end, from, to))
        .sort((one, other) => one.clip_end.localeCompare(other.clip_end)),
      episodes: merged(held.value?.episodes, stream.episodes.value, ({ episode_id: id }) => id).filter(
        ({ started_at: start, ended_at: end }) =>
          millis(start) < to && (end === undefined || millis(end) > from),
      ),
      gaps: merged(held.value?.gaps, stream.gaps.value, (gap) => gap.from).filter(
        (gap) => millis(gap.from) < to && millis(gap.to) > from,
      ),
    }),
    [held.value, stream.clips.value, stream.episodes.value, stream.gaps.value, from, to],
  );
  return { from, to, clips, episodes, gaps, isLoading: held.isLoading, problem: held.problem };
}

export function millis(time: string): number {
  return Date.parse(time);
}

/** The time that a clip speaks of; episodes begin and end on the grid of these. */
export function middleOf({ clip_start: start, clip_end: end }: ClipStats): number {
  return (millis(start) + millis(end)) / 2;
}

/** Now; of a recording the end of what was scored of it. */
function endOf({ view }: LiveStream): number {
  const { kind, newest_clip: clip } = view.value;
  return kind === 'file' && clip ? millis(clip.clip_end) : now.value;
}

function isWithin(time: string, from: number, to: number): boolean {
  const at = millis(time);
  return at > from && at <= to;
}

/** Of the same thing the live one: it is newer. */
function merged<Item>(
  held: readonly Item[] = [],
  live: readonly Item[],
  keyOf: (item: Item) => string,
): Item[] {
  return [...new Map([...held, ...live].map((item) => [keyOf(item), item])).values()];
}

interface History {
  readonly clips: readonly ClipStats[];
  readonly episodes: readonly ActionEvent[];
  readonly gaps: readonly Gap[];
}

async function loadHistory(
  id: string,
  { from, to }: { readonly from: number; readonly to: number },
  signal: AbortSignal,
): Promise<History> {
  const time = (ms: number): string => new Date(Math.max(0, ms)).toISOString();
  const range = { from: time(from), to: time(to + 1) };
  const query = { stream: [id], ...range, limit: PAGE };
  const [clips, { events }, { gaps }] = await Promise.all([
    loadClips(id, range, signal),
    loadEvents({ ...query, from: time(from - LONGEST_EPISODE_MS) }, signal),
    answerOf(api.GET('/api/v1/gaps', { params: { query }, signal })),
  ]);
  return { clips, episodes: events, gaps };
}

/** Clips that ended in the interval, newest first, page after page. @throws ApiProblem */
export async function loadClips(
  stream: string,
  range: { readonly from: string; readonly to: string },
  signal: AbortSignal,
): Promise<readonly ClipStats[]> {
  const clips: ClipStats[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const query = { stream, ...range, limit: PAGE, ...(cursor !== undefined && { cursor }) };
    const answer = await answerOf(api.GET('/api/v1/clips', { params: { query }, signal }));
    clips.push(...answer.clips);
    cursor = answer.next;
    if (cursor === undefined) break;
  }
  return clips;
}
