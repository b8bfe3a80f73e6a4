import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger, type Logger } from '../../src/core/logger.ts';
import type { StoredRecord } from '../../src/sink/event-sink.ts';
import { UnreadableRecords, type Damage } from '../../src/sink/journal/corruption.ts';
import { openJournal } from '../../src/sink/journal/open-journal.ts';
import type { Journal, JournalOptions } from '../../src/sink/journal/types.ts';
import { actionEvent } from './records.ts';

/** Paths of a journal's segment files, oldest first. */
export async function segmentsOf(dir: string): Promise<readonly string[]> {
  const names = await readdir(dir);
  return names
    .filter((name) => name.endsWith('.seg'))
    .sort()
    .map((name) => join(dir, name));
}

/** Byte at which each entry of a whole segment file begins. */
export async function entriesOf(path: string): Promise<readonly number[]> {
  const bytes = await readFile(path);
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4)) starts.push(at);
  return starts;
}

export async function flipBit(path: string, position: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[position] = (bytes[position] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

/** One event an entry. */
export async function appendEvents(journal: Journal, count: number, first = 0): Promise<void> {
  for (let episode = first; episode < first + count; episode++)
    await journal.append([actionEvent({ episode })]);
}

/** A journal whose records go to Kafka and to Postgres. */
export function openForBoth(dir: string, options: Partial<JournalOptions> = {}): Promise<Journal> {
  return openJournal({ dir, consumers: ['kafka', 'postgres'], ...options });
}

/** Both have received everything. */
export async function passAll(journal: Journal): Promise<void> {
  for (const consumer of ['kafka', 'postgres']) await journal.checkpoint(consumer, journal.nextOffset);
}

/** Everything from `offset` on, as a delivery reads it: damaged parts are stepped over and returned. */
export async function readAll(
  journal: Pick<Journal, 'read' | 'nextOffset'>,
  offset = 0,
): Promise<{ readonly records: readonly StoredRecord[]; readonly damages: readonly Damage[] }> {
  const records: StoredRecord[] = [];
  const damages: Damage[] = [];
  for (let from = offset; from < journal.nextOffset;) {
    try {
      records.push(...(await journal.read(from, 100)));
      from = (records.at(-1)?.offset ?? -1) + 1;
    } catch (error) {
      if (!(error instanceof UnreadableRecords)) throw error;
      damages.push(error.damage);
      from = error.damage.endOffset;
    }
  }
  return { records, damages };
}

export interface Line {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export function collectingLogger(lines: Line[], onLine?: () => void): Logger {
  const collect = (level: Line['level']) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message });
    onLine?.();
  };
  return { ...silentLogger, info: collect('info'), warn: collect('warn'), error: collect('error') };
}
