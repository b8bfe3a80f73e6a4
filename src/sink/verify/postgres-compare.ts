import { recordIdOf, supersedes, type ActionEvent, type RecordType } from '../../core/records.ts';
import type { StoredRecord } from '../event-sink.ts';
import type { Prunings } from '../postgres/prunings.ts';
import type { PostgresReader } from '../postgres/reader.ts';
import { eventOfRow, type Row } from '../postgres/rows.ts';
import { describeDifferences, isRepeatable } from './contents.ts';
import type { Differences } from './differences.ts';
import type { DeadLetters } from './postgres-dead-letters.ts';
import { expectedRow, rowsLike, TABLES, tableKeyOf, withoutRunColumns } from './postgres-rows.ts';
import { createColumn, createRecordIndex } from './record-index.ts';
import { idOf, type Survey } from './survey.ts';
import type { Problem } from './types.ts';

interface Parts {
  readonly survey: Survey;
  readonly reader: PostgresReader;
  readonly differences: Differences;
  readonly prunings: Prunings;
  /** `recorded_at` of rows that are older than this column. */
  readonly migratedAt: string;
}

interface Finding {
  readonly problem: Problem;
  readonly detail: string;
}

/** Marks of a table key. */
const MARK = { agrees: 1, differs: 2, expired: 4, due: 8 } as const;

/** Compares the rows of records, page by page, with one difference a row at most. */
export class RowComparison {
  /** Rows that the sink should hold. */
  compared = 0;
  expired = 0;
  readonly #parts: Parts;
  readonly #keys = createRecordIndex();
  readonly #marks = createColumn(Uint8Array);
  /** A file that was run again with other results: the row must be that of any of its runs. */
  readonly #pending = new Map<number, { readonly subject: string; readonly finding: Finding }>();
  readonly #partitions = new Map<string, boolean>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Has a record of the journal this key? Only of the times that were asked for. */
  hasKey(type: RecordType, row: Row): boolean {
    return this.#keys.numberOf(`${type} ${tableKeyOf(type, row)}`) !== undefined;
  }

  isDue({ record }: StoredRecord): boolean {
    const number = this.#parts.survey.numberOf(idOf(record));
    return number !== undefined && this.#parts.survey.isDue(number, 'postgres');
  }

  async add(type: RecordType, records: readonly StoredRecord[], letters: DeadLetters): Promise<void> {
    const { survey, reader } = this.#parts;
    const inRange = records.filter(({ recordedAtMs }) => survey.covers(recordedAtMs));
    const expectedRows = inRange.map(expectedRow);
    const rows = await rowsLike(reader, type, expectedRows);
    for (const [index, stored] of inRange.entries()) {
      const expected = expectedRows[index] ?? expectedRow(stored);
      const key = tableKeyOf(type, expected);
      const isDue = this.isDue(stored);
      const found = rows.get(key) ?? [];
      const number = this.#keys.add(`${type} ${key}`);
      if (isDue && !this.#has(number, MARK.due)) this.compared += 1;
      if (isDue) this.#mark(number, MARK.due);
      // What is not due may be there or not, but not otherwise than it was journalled.
      else if (found.length === 0) continue;
      const finding = await this.#compare(stored, { expected, found, isDue });
      if (finding === 'agrees') this.#mark(number, MARK.agrees);
      else if (finding === 'expired') this.#countExpired(number);
      else if (finding) await this.#take(number, { stored, finding, letters });
    }
  }

  /** After the last page. */
  finish(): void {
    for (const [number, { subject, finding }] of this.#pending)
      if (!this.#has(number, MARK.agrees)) this.#report(number, subject, finding);
  }

  async #compare(
    stored: StoredRecord,
    parts: { readonly expected: Row; readonly found: readonly Row[]; readonly isDue: boolean },
  ): Promise<Finding | 'agrees' | 'expired' | undefined> {
    const { expected, found, isDue } = parts;
    const { type } = stored.record;
    const row = found.find((candidate) => candidate['started_at'] === expected['started_at']);
    const stray = found.find((candidate) => candidate !== row);
    if (stray)
      return {
        problem: 'unknown',
        detail: `a second row of the episode, started ${String(stray['started_at'])}`,
      };
    if (!row) {
      if (!isDue) return undefined;
      const { prunings } = this.#parts;
      if (prunings.covers(stored) || (await this.#isDropped(type, expected))) return 'expired';
      const letter = prunings.coversLetter(stored) ? '; a dead letter of its time would be pruned' : '';
      return { problem: 'missing', detail: `no row in ${TABLES[type]}${letter}` };
    }
    if (type === 'action.event') {
      const event = eventOfRow(row);
      if (recordIdOf({ type, payload: event }) !== recordIdOf(stored.record))
        return this.#compareOtherEvent(stored.record.payload, { event, row, isDue });
    }
    const contents = this.#describe(stored, { expected, row });
    return contents === '' ? 'agrees' : { problem: 'payload', detail: `${TABLES[type]}: ${contents}` };
  }

  /** The row is another event of the episode: it must supersede this one, and the journal must hold it. */
  async #compareOtherEvent(
    expected: ActionEvent,
    { event, row, isDue }: { readonly event: ActionEvent; readonly row: Row; readonly isDue: boolean },
  ): Promise<Finding | undefined> {
    const { survey } = this.#parts;
    if (supersedes(expected, event)) {
      const detail = `the row is at ${stageOf(event)} and the journal at ${stageOf(expected)}`;
      return isDue ? { problem: 'missing', detail } : undefined;
    }
    const id = idOf({ type: 'action.event', payload: event });
    const recordedAtMs = Date.parse(String(row['processed_at']));
    if (survey.numberOf(id) === undefined) await survey.refresh(recordedAtMs);
    if (survey.numberOf(id) !== undefined) return undefined;
    // Of a file, another instance or a later journal may have written the row; a live episode has one writer.
    const { instance } = event.pipeline;
    const { stream_id: streamId, run_id: runId } = event;
    const origin = { instance, streamId, runId, recordedAtMs };
    if (expected.run_id !== undefined && !survey.provenance.claimsMade(origin)) return undefined;
    return {
      problem: 'payload',
      detail: `the row is at ${stageOf(event)}, an event that the journal has never held`,
    };
  }

  #describe(stored: StoredRecord, { expected, row }: { readonly expected: Row; readonly row: Row }): string {
    const isOld = row['recorded_at'] === this.#parts.migratedAt;
    const actual = isOld ? omit(row, /recorded_at$/) : row;
    const wanted = isOld ? omit(expected, /recorded_at$/) : expected;
    const name = stored.record.type === 'action.event' ? 'processed_at' : 'recorded_at';
    const isOfOtherRun = isRepeatable(stored.record.payload) && row[name] !== expected[name];
    return isOfOtherRun
      ? describeDifferences(withoutRunColumns(actual), withoutRunColumns(wanted))
      : describeDifferences(actual, wanted);
  }

  async #take(
    number: number,
    parts: { readonly stored: StoredRecord; readonly finding: Finding; readonly letters: DeadLetters },
  ): Promise<void> {
    const { stored, letters } = parts;
    let { finding } = parts;
    if (finding.problem === 'missing' && letters.has(stored)) {
      const objection = await letters.objectionTo(stored);
      if (objection === undefined) return;
      finding = { problem: 'dead_letter', detail: objection };
    }
    const { record } = stored;
    const subject = record.type === 'action.event' ? record.payload.episode_id : recordIdOf(record);
    if (isRepeatable(record.payload) && finding.problem === 'payload')
      this.#pending.set(number, { subject, finding });
    else this.#report(number, subject, finding);
  }

  #countExpired(number: number): void {
    if (!this.#has(number, MARK.expired)) this.expired += 1;
    this.#mark(number, MARK.expired);
  }

  #report(number: number, subject: string, { problem, detail }: Finding): void {
    if (this.#has(number, MARK.differs)) return;
    this.#mark(number, MARK.differs);
    this.#parts.differences.add({ sink: 'postgres', problem, subject, detail });
  }

  #has(number: number, mark: number): boolean {
    return (this.#marks.value(number) & mark) !== 0;
  }

  #mark(number: number, mark: number): void {
    this.#marks.set(number, [this.#marks.value(number) | mark]);
  }

  /** Dropped by hand, or before prunings were noted: the sink makes the partition before it writes a row. */
  async #isDropped(type: RecordType, expected: Row): Promise<boolean> {
    const time = expected['started_at'] ?? expected['clip_start'];
    if (typeof time !== 'string' || type === 'stream.status') return false;
    const period = time.slice(0, type === 'action.event' ? 7 : 10).replaceAll('-', '_');
    const name = `actionstream.${TABLES[type]}_${period}`;
    const known = this.#partitions.get(name);
    if (known !== undefined) return known;
    const [row] = await this.#parts.reader.query<{ isDropped: boolean }>(
      'SELECT to_regclass($1) IS NULL AS "isDropped"',
      [name],
    );
    const isDropped = row?.isDropped ?? false;
    this.#partitions.set(name, isDropped);
    return isDropped;
  }
}

function stageOf({ sequence, end_reason: reason }: ActionEvent): string {
  return reason === undefined ? `sequence ${sequence}` : `sequence ${sequence} (${reason})`;
}

function omit(row: Row, pattern: RegExp): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !pattern.test(name)));
}
