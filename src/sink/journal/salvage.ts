import { copyFile, link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { syncDirectory } from './atomic-file.ts';
import { loadCheckpoints } from './checkpoints.ts';
import { inspectSegment, type InspectedSegment } from './inspect.ts';
import { acknowledgedBy, loadOpenEpisodes } from './open-episodes.ts';
import { lockDirectory } from './open-journal.ts';
import { segmentsIn } from './reader.ts';
import { segmentPath, type PlacedEntry } from './segment.ts';

export interface SalvagedSegment {
  /** The damaged file, as it was. */
  readonly quarantined: string;
  readonly keptRecords: number;
  readonly lostRecords: number;
}

/**
 * Mends a stopped journal: every readable record of a damaged file moves to new
 * files, and the damaged one to `<dir>/quarantine`. At each moment the
 * directory holds every readable record, so it may be interrupted and repeated.
 * @throws JOURNAL_LOCKED; INPUT_INVALID where it is no journal
 */
export async function salvageJournal(dir: string): Promise<readonly SalvagedSegment[]> {
  await segmentsIn(dir);
  const lock = await lockDirectory(dir);
  try {
    const acknowledged = acknowledgedBy(await loadOpenEpisodes(dir), await loadCheckpoints(dir));
    const bases = await segmentsIn(dir);
    const salvaged: SalvagedSegment[] = [];
    for (const [place, baseOffset] of bases.entries()) {
      const endOffset = bases[place + 1];
      const segment = await inspectSegment(dir, { baseOffset, endOffset, acknowledged });
      // Records that are missing without damaged bytes cannot be mended, and
      // hinder nobody but in the last file.
      const isMendable = segment.damages.some(
        (one) => one.endPosition > one.position || endOffset === undefined,
      );
      if (isMendable) salvaged.push(await salvageSegment(dir, segment, endOffset === undefined));
    }
    return salvaged;
  } finally {
    await lock[Symbol.asyncDispose]();
  }
}

async function salvageSegment(
  dir: string,
  { path, entries, damages, nextOffset }: InspectedSegment,
  isLast: boolean,
): Promise<SalvagedSegment> {
  const content = await readFile(path);
  const runs = runsOf(entries);
  const drafts = new Map<string, string>();
  for (const run of runs) {
    const [first] = run;
    const last = run.at(-1);
    if (!first || !last) continue;
    const bytes = content.subarray(first.position, last.position + last.length);
    drafts.set(segmentPath(dir, first.firstOffset), await writeDraft(dir, first.firstOffset, bytes));
  }
  // Offsets of lost records are never used again: the next file begins behind them.
  const end = entries.at(-1);
  const endsAt = end ? end.firstOffset + end.count : undefined;
  if (isLast && endsAt !== nextOffset) {
    drafts.set(segmentPath(dir, nextOffset), await writeDraft(dir, nextOffset, Buffer.alloc(0)));
  }
  const quarantined = await quarantine(dir, path);
  for (const [target, draft] of drafts) if (target !== path) await rename(draft, target);
  const successor = drafts.get(path);
  if (successor === undefined) await rm(path);
  else await rename(successor, path);
  await syncDirectory(dir);
  return {
    quarantined,
    keptRecords: entries.reduce((sum, { count }) => sum + count, 0),
    lostRecords: damages.reduce((sum, damage) => sum + damage.endOffset - damage.firstOffset, 0),
  };
}

/** Entries whose offsets follow each other and that lie side by side. */
function runsOf(entries: readonly PlacedEntry[]): readonly (readonly PlacedEntry[])[] {
  const runs: PlacedEntry[][] = [];
  let previous: PlacedEntry | undefined;
  for (const entry of entries) {
    const follows =
      previous?.position === entry.position - (previous?.length ?? 0) &&
      previous.firstOffset + previous.count === entry.firstOffset;
    if (follows) runs.at(-1)?.push(entry);
    else runs.push([entry]);
    previous = entry;
  }
  return runs;
}

async function writeDraft(dir: string, baseOffset: number, bytes: Buffer): Promise<string> {
  const draft = `${segmentPath(dir, baseOffset)}.salvaged`;
  const file = await open(draft, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  return draft;
}

/** A second name for the damaged file; a copy where the file system has no links. */
async function quarantine(dir: string, path: string): Promise<string> {
  const folder = join(dir, 'quarantine');
  await mkdir(folder, { recursive: true });
  const target = join(folder, `${basename(path)}.${new Date().toISOString().replaceAll(':', '-')}`);
  await link(path, target).catch(() => copyFile(path, target));
  await syncDirectory(folder);
  return target;
}
