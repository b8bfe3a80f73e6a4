import { isGroup, leavesOf, VALUE_KINDS, type Fields, type Group, type Leaf } from '../../core/fields.ts';
import { ACTION_EVENT_FIELDS, CLIP_STATS_FIELDS, RECORD_KINDS } from '../../core/record-fields.ts';
import type { ActionEvent, ClipStats, PublishedRecord, RecordType } from '../../core/records.ts';
import { toRfc3339 } from '../../core/time.ts';

/** Columns by name, with their types. */
export type Columns = Readonly<Record<string, string>>;

/** A row by column: absent values undefined, times as RFC 3339 text. */
export type Row = Readonly<Record<string, unknown>>;

/** Stands for "no run" in the tables, where it is part of a key. */
export const NO_RUN = '00000000-0000-0000-0000-000000000000';

const LEAVES: Readonly<Record<RecordType, readonly Leaf[]>> = {
  'action.event': leavesOf(RECORD_KINDS['action.event'].fields),
  'clip.stats': leavesOf(RECORD_KINDS['clip.stats'].fields),
  'stream.status': leavesOf(RECORD_KINDS['stream.status'].fields),
};

/**
 * The columns of each kind of record: one a field, in the order of the payload,
 * and when the journal took the record.
 */
export const COLUMNS: Readonly<Record<RecordType, Columns>> = {
  'action.event': columnsOf('action.event'),
  'clip.stats': { ...columnsOf('clip.stats'), recorded_at: 'timestamptz' },
  'stream.status': { ...columnsOf('stream.status'), recorded_at: 'timestamptz' },
};

/** Columns of `stream_status`: gaps have a table of their own, and repeated states have no row. */
export const STATUS_COLUMNS: Columns = Object.fromEntries(
  Object.entries(COLUMNS['stream.status']).filter(([name]) => !name.startsWith('gap_') && name !== 'repeats'),
);

/** A state that was said before: only `streams` shows that it was said again. */
export function isRepeated({ type, payload }: PublishedRecord): boolean {
  return type === 'stream.status' && payload.repeats !== undefined;
}

/**
 * The row that a record makes. An event's lacks `recorded_at`, since later events of the episode replace it.
 */
export function rowOf(record: PublishedRecord, recordedAtMs: number): Row {
  const row = valuesOf(record);
  row['run_id'] ??= NO_RUN;
  if (record.type !== 'action.event') row['recorded_at'] = toRfc3339(recordedAtMs);
  return row;
}

/** The values of a record by column; of fields that it leaves out, undefined. */
export function valuesOf({ type, payload }: PublishedRecord): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { path, column } of LEAVES[type]) values[column] = valueAt(payload, path);
  return values;
}

/** The event that made a row of `action_events`: times as Date or text, absent values null or undefined. */
export function eventOfRow(row: Row): ActionEvent {
  return payloadOf(ACTION_EVENT_FIELDS, withoutNoRun(row)) as ActionEvent;
}

/** The statistics that made a row of `clip_stats`. */
export function clipOfRow(row: Row): ClipStats {
  return payloadOf(CLIP_STATS_FIELDS, withoutNoRun(row)) as ClipStats;
}

function withoutNoRun(row: Row): Row {
  return row['run_id'] === NO_RUN ? { ...row, run_id: null } : row;
}

function columnsOf(type: RecordType): Columns {
  const leaves = leavesOf(RECORD_KINDS[type].fields);
  return Object.fromEntries(leaves.map(({ column, field }) => [column, VALUE_KINDS[field.kind].column]));
}

function valueAt(payload: unknown, path: readonly string[]): unknown {
  let value = payload;
  for (const name of path) value = (value as Row | undefined)?.[name];
  return value;
}

function payloadOf(fields: Fields, row: Row, columnOf = (name: string): string => name): object {
  const payload: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = isGroup(field) ? groupOf(field, row) : row[columnOf(name)];
    if (value !== undefined && value !== null)
      payload[name] = value instanceof Date ? value.toISOString() : value;
  }
  return payload;
}

function groupOf({ members, columnOf, isOptional }: Group<Fields>, row: Row): object | undefined {
  const payload = payloadOf(members, row, columnOf);
  return isOptional && Object.keys(payload).length === 0 ? undefined : payload;
}
