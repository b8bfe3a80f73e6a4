import { stat } from 'node:fs/promises';
import type { Logger } from '../../core/logger.ts';
import type { ActionEvent } from '../../core/records.ts';
import { loadCheckpoint } from './checkpoints.ts';
import type { FrameIndex } from './frame-index.ts';
import { applyRecord, loadOpenEpisodes } from './open-episodes.ts';
import { corrupt, listSegments, scanSegment, segmentPath } from './segment.ts';

/** A file of the journal that is no longer written: records [baseOffset, endOffset). */
export interface SegmentFile {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly bytes: number;
  /** When its last record was journalled, ms since 1970. */
  readonly lastAtMs: number;
}

export interface RecoveredJournal {
  readonly closed: readonly SegmentFile[];
  readonly active: { readonly baseOffset: number; readonly bytes: number; readonly lastAtMs: number };
  readonly nextOffset: number;
  readonly checkpoints: ReadonlyMap<string, number>;
  /** When each consumer's first undelivered record was journalled, ms since 1970. */
  readonly oldestAtMs: ReadonlyMap<string, number>;
  readonly openEpisodes: Map<string, ActionEvent>;
  readonly snapshotOffset: number;
}

const READ_RECORDS = 5000;

/**
 * What a stopped or crashed process left in `dir`. Only the last segment may end in a torn frame, whose records
 * nobody was told to be safe: it is cut off with a warning.
 * @throws JOURNAL_CORRUPT
 */
export async function recoverJournal(
  dir: string,
  parts: { readonly consumers: readonly string[]; readonly index: FrameIndex; readonly logger: Logger },
): Promise<RecoveredJournal> {
  const { consumers, index, logger } = parts;
  const snapshot = await loadOpenEpisodes(dir);
  const saved = new Map<string, number | undefined>();
  for (const consumer of consumers) saved.set(consumer, await loadCheckpoint(dir, consumer));
  // Offsets never repeat, not even when somebody has emptied the directory half.
  const unused = Math.max(0, snapshot.nextOffset, ...[...saved.values()].map((offset) => offset ?? 0));

  const bases = await listSegments(dir);
  const closed = await closedSegments(dir, bases);
  const lastBase = bases.at(-1) ?? unused;
  const active = bases.length > 0 ? await scanActive(dir, lastBase, logger) : EMPTY;
  const nextOffset = lastBase + active.records;
  const checkpoints = new Map<string, number>();
  for (const [consumer, offset] of saved) {
    if (offset !== undefined && offset > nextOffset) {
      const why = `it ends at offset ${nextOffset}, but ${consumer} has received records up to ${offset}`;
      throw corrupt(segmentPath(dir, lastBase), active.bytes, why);
    }
    checkpoints.set(consumer, Math.max(offset ?? 0, bases[0] ?? lastBase));
  }

  const read = async (fromOffset: number): ReturnType<FrameIndex['read']> => {
    const segment = closed.findLast(
      ({ baseOffset, endOffset }) => baseOffset <= fromOffset && fromOffset < endOffset,
    );
    const { baseOffset = lastBase, endOffset } = segment ?? {};
    const range = endOffset === undefined ? {} : { endOffset };
    return index.read({ baseOffset, ...range, fromOffset, maxRecords: READ_RECORDS });
  };
  const start =
    snapshot.nextOffset <= nextOffset ? snapshot : { nextOffset: 0, events: new Map<string, ActionEvent>() };
  for (let offset = Math.max(start.nextOffset, bases[0] ?? lastBase); offset < nextOffset;) {
    const records = await read(offset);
    for (const { record } of records) applyRecord(start.events, record);
    offset += records.length;
  }
  const oldestAtMs = new Map<string, number>();
  for (const [consumer, offset] of checkpoints) {
    const [first] = offset < nextOffset ? await read(offset) : [];
    if (first) oldestAtMs.set(consumer, first.recordedAtMs);
  }
  return {
    closed,
    active: { baseOffset: lastBase, bytes: active.bytes, lastAtMs: active.lastAtMs },
    nextOffset,
    checkpoints,
    oldestAtMs,
    openEpisodes: start.events,
    snapshotOffset: Math.min(snapshot.nextOffset, nextOffset),
  };
}

const EMPTY = { bytes: 0, records: 0, lastAtMs: 0 };

async function closedSegments(dir: string, bases: readonly number[]): Promise<readonly SegmentFile[]> {
  const segments: SegmentFile[] = [];
  for (const [place, baseOffset] of bases.entries()) {
    const endOffset = bases[place + 1];
    if (endOffset === undefined) break;
    const { size, mtimeMs } = await stat(segmentPath(dir, baseOffset));
    segments.push({ baseOffset, endOffset, bytes: size, lastAtMs: mtimeMs });
  }
  return segments;
}

async function scanActive(dir: string, baseOffset: number, logger: Logger): Promise<typeof EMPTY> {
  const path = segmentPath(dir, baseOffset);
  const { frames, goodBytes, torn } = await scanSegment(path, { offset: baseOffset, position: 0 });
  if (torn !== undefined) {
    logger.warn(
      { file: path, byte: goodBytes, reason: torn },
      'the journal ends in a write that a crash has cut short; its records were never acknowledged and are dropped',
    );
  }
  return {
    bytes: goodBytes,
    records: frames.reduce((sum, { count }) => sum + count, 0),
    lastAtMs: frames.at(-1)?.recordedAtMs ?? 0,
  };
}
