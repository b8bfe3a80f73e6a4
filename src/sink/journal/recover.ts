import { stat } from 'node:fs/promises';
import type { Logger } from '../../core/logger.ts';
import type { ActionEvent } from '../../core/records.ts';
import type { StoredRecord } from '../event-sink.ts';
import { loadCheckpoints } from './checkpoints.ts';
import { endsEarly, UnreadableRecords } from './corruption.ts';
import type { EntryIndex } from './entry-index.ts';
import type { Marker } from './marker.ts';
import { acknowledgedBy, applyRecord, loadOpenEpisodes } from './open-episodes.ts';
import { startConsumers } from './start-consumers.ts';
import { listSegments, scanSegment, segmentPath } from './segment.ts';

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
  readonly active: ActiveSegment;
  readonly nextOffset: number;
  readonly checkpoints: ReadonlyMap<string, number>;
  /** Of consumers that the journal knows and that were not named now. */
  readonly idle: ReadonlyMap<string, number>;
  /** Named for the first time: their checkpoints are not on disk yet. */
  readonly added: readonly string[];
  /** Where each consumer began. */
  readonly since: ReadonlyMap<string, number>;
  /** When each consumer's first undelivered record was journalled, ms since 1970. */
  readonly oldestAtMs: ReadonlyMap<string, number>;
  readonly openEpisodes: Map<string, ActionEvent>;
  readonly snapshotOffset: number;
}

interface ActiveSegment {
  readonly baseOffset: number;
  readonly bytes: number;
  readonly lastAtMs: number;
}

interface RecoverParts {
  readonly consumers: readonly string[];
  readonly index: EntryIndex;
  readonly logger: Logger;
  /** Absent: nothing is known of how the journal was written before; then `fsync` of today counts. */
  readonly marker: Marker | undefined;
  readonly fsync: boolean;
}

const READ_RECORDS = 5000;

/**
 * What a stopped or crashed process left in `dir`. The last segment may end in a torn entry,
 * whose records were never acknowledged: it is cut off with a warning. Where checkpoints or
 * the snapshot prove that acknowledged records are missing at the end, a journal written
 * without fsync continues behind the gap; one written with fsync is damaged.
 * @throws JOURNAL_CORRUPT
 */
export async function recoverJournal(dir: string, parts: RecoverParts): Promise<RecoveredJournal> {
  const { consumers, index, logger } = parts;
  const snapshot = await loadOpenEpisodes(dir);
  const saved = await loadCheckpoints(dir, consumers);
  const acknowledged = acknowledgedBy(snapshot, saved);

  const { closed, active, nextOffset } = await recoverSegments(dir, acknowledged, parts);
  const firstOffset = closed[0]?.baseOffset ?? active.baseOffset;
  const started = startConsumers(saved, {
    ...{ consumers, firstOffset, nextOffset, logger },
    // A journal without a marker is of a version in which everybody began at the oldest record.
    isOlder: parts.marker === undefined,
  });

  const read = (fromOffset: number): Promise<readonly StoredRecord[]> => {
    const segment = closed.find((one) => one.baseOffset <= fromOffset && fromOffset < one.endOffset);
    const { baseOffset, endOffset } = segment ?? { baseOffset: active.baseOffset, endOffset: undefined };
    return index.read({ baseOffset, endOffset, fromOffset, maxRecords: READ_RECORDS });
  };
  const { events } = snapshot;
  for (let offset = Math.max(snapshot.nextOffset, firstOffset); offset < nextOffset;) {
    const records = await read(offset).catch((error: unknown) => {
      if (!(error instanceof UnreadableRecords)) throw error;
      logger.error(
        { reason: error.message },
        'open episodes may be missed: a part of the journal is damaged',
      );
      return error.damage;
    });
    if (!('length' in records)) {
      offset = records.endOffset;
      continue;
    }
    for (const { record } of records) applyRecord(events, record);
    offset += records.length;
  }
  const oldestAtMs = new Map<string, number>();
  for (const [consumer, offset] of started.checkpoints) {
    const [first] = offset < nextOffset ? await read(offset).catch(() => []) : [];
    if (first) oldestAtMs.set(consumer, first.recordedAtMs);
  }
  const snapshotOffset = Math.min(snapshot.nextOffset, nextOffset);
  return { closed, active, nextOffset, ...started, oldestAtMs, openEpisodes: events, snapshotOffset };
}

async function recoverSegments(
  dir: string,
  acknowledged: number,
  { logger, marker, fsync }: RecoverParts,
): Promise<Pick<RecoveredJournal, 'closed' | 'active' | 'nextOffset'>> {
  const bases = await listSegments(dir);
  // Offsets never repeat, not even when somebody has emptied the directory half.
  const baseOffset = bases.at(-1) ?? acknowledged;
  const closed = await closedSegments(dir, bases);
  const { records, ...found } = bases.length > 0 ? await scanActive(dir, baseOffset, logger) : EMPTY;
  const endOffset = baseOffset + records;
  if (acknowledged <= endOffset) return { closed, active: { baseOffset, ...found }, nextOffset: endOffset };

  const lost = acknowledged - endOffset;
  const path = segmentPath(dir, baseOffset);
  if (marker?.fsync ?? fsync) {
    throw endsEarly(path, { position: found.bytes, nextOffset: endOffset, acknowledged });
  }
  logger.error(
    { file: path, first_offset: endOffset, records: lost },
    'the newest records of the journal are missing: it is written without fsync and the machine has stopped',
  );
  const last = { baseOffset, endOffset: acknowledged, ...found };
  const active = { baseOffset: acknowledged, bytes: 0, lastAtMs: found.lastAtMs };
  return { closed: [...closed, last], active, nextOffset: acknowledged };
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
  const { entries, goodBytes, torn } = await scanSegment(path, { offset: baseOffset, position: 0 });
  if (torn !== undefined) {
    logger.warn(
      { file: path, byte: goodBytes, reason: torn },
      'the journal ends in a write that a crash has cut short; its records were never acknowledged and are dropped',
    );
  }
  return {
    bytes: goodBytes,
    records: entries.reduce((sum, { count }) => sum + count, 0),
    lastAtMs: entries.at(-1)?.recordedAtMs ?? 0,
  };
}
