import { stat } from 'node:fs/promises';
import { loadCheckpoints, type Checkpoint } from './checkpoints.ts';
import type { Damage } from './corruption.ts';
import { loadMarker } from './marker.ts';
import { acknowledgedBy, loadOpenEpisodes } from './open-episodes.ts';
import { segmentsIn } from './reader.ts';
import { scanSegment, segmentPath, type PlacedEntry } from './segment.ts';

export interface JournalReport {
  readonly dir: string;
  readonly segments: number;
  readonly bytes: number;
  /** Records [firstOffset, nextOffset), the unreadable ones included. */
  readonly firstOffset: number;
  readonly nextOffset: number;
  readonly readableRecords: number;
  readonly damages: readonly Damage[];
  /** Damage in the file being written: a run refuses to start until it is salvaged. */
  readonly refusesStart: boolean;
  /** false: some of the newest records may be gone after a power loss. Absent: of an older version. */
  readonly fsync?: boolean;
  readonly sinks: Readonly<Record<string, SinkReport>>;
}

export interface SinkReport {
  readonly nextOffset: number;
  /** Records that wait for it, and how many of these are unreadable. */
  readonly waiting: number;
  readonly unreadable: number;
}

/**
 * Reads a whole journal, one file at a time, without the lock; a running program may go on.
 * @throws INPUT_INVALID
 */
export async function inspectJournal(dir: string): Promise<JournalReport> {
  const checkpoints = await loadCheckpoints(dir);
  const acknowledged = acknowledgedBy(await loadOpenEpisodes(dir), checkpoints);
  const marker = await loadMarker(dir);
  const bases = await segmentsIn(dir);
  let [bytes, readableRecords, nextOffset] = [0, 0, acknowledged];
  const damages: Damage[] = [];
  let refusesStart = false;
  for (const [place, baseOffset] of bases.entries()) {
    const segment = await inspectSegment(dir, { baseOffset, endOffset: bases[place + 1], acknowledged });
    bytes += segment.bytes;
    readableRecords += segment.entries.reduce((sum, { count }) => sum + count, 0);
    ({ nextOffset } = segment);
    damages.push(...segment.damages);
    if (bases[place + 1] === undefined) refusesStart = segment.isRefused(marker?.fsync !== false);
  }
  const firstOffset = bases[0] ?? nextOffset;
  const sinks = [...checkpoints].map(([name, checkpoint]) => [
    name,
    sinkReport(checkpoint, { firstOffset, nextOffset, damages }),
  ]);
  return {
    ...{
      dir,
      segments: bases.length,
      bytes,
      firstOffset,
      nextOffset,
      readableRecords,
      damages,
      refusesStart,
    },
    ...(marker && { fsync: marker.fsync }),
    sinks: Object.fromEntries(sinks) as Readonly<Record<string, SinkReport>>,
  };
}

export interface InspectedSegment {
  readonly path: string;
  readonly bytes: number;
  readonly entries: readonly PlacedEntry[];
  readonly damages: readonly Damage[];
  readonly nextOffset: number;
  /** Of the file being written: does opening it fail? */
  isRefused(fsync: boolean): boolean;
}

/** `endOffset`: absent for the file being written, which ends at least at `acknowledged`. */
export async function inspectSegment(
  dir: string,
  place: {
    readonly baseOffset: number;
    readonly endOffset: number | undefined;
    readonly acknowledged: number;
  },
): Promise<InspectedSegment> {
  const { baseOffset, endOffset, acknowledged } = place;
  const path = segmentPath(dir, baseOffset);
  const { size: bytes } = await stat(path);
  const wanted = endOffset ?? Number.MAX_SAFE_INTEGER;
  const scan = await scanSegment(path, { offset: baseOffset, position: 0, endOffset: wanted });
  const last = scan.entries.at(-1);
  const lastOffset = last ? last.firstOffset + last.count : baseOffset;
  const nextOffset = endOffset ?? Math.max(lastOffset, acknowledged);
  // Bytes behind the last entry hold records only where these were
  // acknowledged; else they are a write cut short.
  const damages = scan.damages
    .map((damage) => ({ ...damage, endOffset: Math.min(damage.endOffset, nextOffset) }))
    .filter((damage) => damage.endOffset > damage.firstOffset);
  return {
    ...{ path, bytes, entries: scan.entries, damages, nextOffset },
    isRefused: (fsync) => damages.some((damage) => damage.firstOffset < lastOffset || fsync),
  };
}

function sinkReport(
  checkpoint: Checkpoint,
  journal: {
    readonly firstOffset: number;
    readonly nextOffset: number;
    readonly damages: readonly Damage[];
  },
): SinkReport {
  const nextOffset = Math.max(checkpoint.nextOffset, journal.firstOffset);
  const unreadable = journal.damages.reduce(
    (sum, damage) => sum + Math.max(0, damage.endOffset - Math.max(damage.firstOffset, nextOffset)),
    0,
  );
  return { nextOffset: checkpoint.nextOffset, waiting: journal.nextOffset - nextOffset, unreadable };
}
