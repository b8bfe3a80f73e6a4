import { readFileSync } from 'node:fs';
import type { ActionEvent } from '../../src/core/records.ts';
import { supersedes } from '../../src/core/records.ts';
import { parseJournal } from '../chaos/journal-parser.ts';
import { episodesIn, newestOf, type Clip } from '../support/fleet.ts';
import { descendantsOf } from '../support/processes.ts';

/** Longest time that no clip covers, of each stream, from `fromMs` to `toMs`. */
export function blindTimes(
  clips: readonly Clip[],
  fromMs: number,
  toMs: number,
): ReadonlyMap<string, number> {
  const blind = new Map<string, number>();
  const seenUntil = new Map<string, number>();
  for (const { stream, startMs, endMs } of clips) {
    const before = seenUntil.get(stream);
    seenUntil.set(stream, Math.max(before ?? 0, endMs));
    if (before === undefined || startMs < fromMs || before > toMs) continue;
    blind.set(stream, Math.max(blind.get(stream) ?? 0, startMs - before));
  }
  return blind;
}

/** Clips of one stream that a clip of another worker overlaps. */
export function watchedTwice(clips: readonly Clip[]): number {
  const last = new Map<string, Clip>();
  let overlaps = 0;
  for (const clip of clips) {
    const before = last.get(clip.stream);
    if (before && before.instance !== clip.instance && clip.startMs < before.endMs) overlaps += 1;
    if (!before || clip.endMs > before.endMs) last.set(clip.stream, clip);
  }
  return overlaps;
}

/** Streams whose numbers jump between two clips of one worker in [fromMs, toMs]. */
export function brokenSequences(clips: readonly Clip[], fromMs: number, toMs: number): readonly string[] {
  const last = new Map<string, Clip>();
  const broken = new Set<string>();
  for (const clip of clips) {
    const before = last.get(clip.stream);
    last.set(clip.stream, clip);
    if (!before || clip.startMs < fromMs || before.endMs > toMs) continue;
    if (before.instance !== clip.instance || clip.sequence !== before.sequence + 1) broken.add(clip.stream);
  }
  return [...broken];
}

/** The journals of all workers against Postgres, episode by episode. */
export async function compareEpisodes(
  journals: readonly string[],
  databaseUrl: string,
): Promise<{
  readonly episodes: number;
  readonly lost: number;
  readonly wrong: number;
  readonly open: number;
}> {
  const events = journals.flatMap((journal) =>
    parseJournal(journal).records.flatMap(({ type, payload }) =>
      type === 'action.event' ? [payload as unknown as ActionEvent] : [],
    ),
  );
  const newest = newestOf(events, supersedes);
  const rows = new Map((await episodesIn(databaseUrl)).map((row) => [row.id, row]));
  const lost = [...newest.keys()].filter((id) => !rows.has(id)).length;
  const wrong = [...rows.values()].filter(({ id, sequence, epoch, state }) => {
    const event = newest.get(id);
    return event?.sequence !== sequence || event.writer_epoch !== epoch || event.state !== state;
  }).length;
  const open = [...rows.values()].filter(({ state }) => state !== 'ended').length;
  return { episodes: rows.size, lost, wrong, open };
}

/** Processor seconds of a process and everything below it, so far. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const family = [pid, ...(await descendantsOf(pid)).map((child) => child.pid)];
  return family.reduce((sum, one) => sum + ticksOf(one) / TICKS_A_SECOND, 0);
}

const TICKS_A_SECOND = 100;

/** User and system time, and that of children that have ended (proc(5), fields 14 to 17). */
function ticksOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}
