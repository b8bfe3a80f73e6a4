import type { KafkaTopics } from '../../src/sink/kafka/options.ts';
import { kcat, psql } from '../support/strangers.ts';
import { parseJournal, type ParsedRecord } from './journal-parser.ts';

/** Where a run put its records. */
export interface Places {
  readonly journal: string;
  readonly brokers: readonly string[];
  readonly topics: KafkaTopics;
  readonly databaseUrl: string;
}

export interface Counts {
  readonly journal: number;
  readonly kafka: number;
  readonly duplicates: number;
  readonly rows: number;
  /** What is missing, added or changed on either side. */
  readonly faults: readonly string[];
}

/** What must be on both sides: a record as it was written. */
export type Fact = Pick<ParsedRecord, 'type' | 'payload' | 'text'>;

/**
 * Compares the journal with Kafka and Postgres, as strangers read them. What
 * the runs printed counts as well: a bounded journal deletes what is delivered.
 */
export async function countBothSides(places: Places, printed: readonly string[] = []): Promise<Counts> {
  const parsed = parseJournal(places.journal);
  const { damagedFrames, holes } = parsed;
  const records = withPrinted(parsed.records, printed);
  const kafka = await compareMessages(records, places);
  const rows = await compareRows(records, places.databaseUrl);
  const damage =
    damagedFrames + holes > 0 ? [`journal: ${damagedFrames} damaged frames, ${holes} records gone`] : [];
  return {
    journal: records.length,
    kafka: kafka.messages,
    duplicates: kafka.duplicates,
    rows: rows.rows,
    faults: [...damage, ...kafka.faults, ...rows.faults],
  };
}

export function describeCounts({ journal, kafka, duplicates, rows, faults }: Counts): string {
  const sides = `records ${journal}, Kafka ${kafka} (${duplicates} twice), rows ${rows}`;
  return faults.length === 0 ? `${sides}: equal` : `${sides}: ${faults.slice(0, 5).join('; ')}`;
}

/** Lines that the journal no longer holds are older than all it holds. */
function withPrinted(records: readonly ParsedRecord[], printed: readonly string[]): readonly Fact[] {
  const known = new Set(records.map(({ text }) => text));
  const older = new Map<string, Fact>();
  for (const line of printed) {
    const { type, payload } = JSON.parse(line) as Pick<Fact, 'type' | 'payload'>;
    const text = JSON.stringify(payload);
    if (!known.has(text)) older.set(text, { type, payload, text });
  }
  return [...older.values(), ...records];
}

async function compareMessages(
  records: readonly Fact[],
  { brokers, topics }: Places,
): Promise<{ readonly messages: number; readonly duplicates: number; readonly faults: readonly string[] }> {
  const faults: string[] = [];
  let [messages, duplicates] = [0, 0];
  for (const type of ['action.event', 'clip.stats', 'stream.status'] as const) {
    const found = await kcat(brokers, topics[type]);
    const wanted = records.filter((record) => record.type === type);
    const texts = new Set(found.map(({ payload }) => payload));
    messages += found.length;
    duplicates += found.length - texts.size;
    // A compacted topic may hold the last status of a stream only.
    const due = type === 'stream.status' ? lastOfEachStream(wanted) : wanted;
    const missing = due.filter(({ text }) => !texts.has(text)).length;
    const known = new Set(wanted.map(({ text }) => text));
    const unknown = [...texts].filter((text) => !known.has(text)).length;
    const strayed = found.filter(
      ({ key, payload }) => key !== (JSON.parse(payload) as { stream_id: string }).stream_id,
    );
    for (const [what, count] of Object.entries({ missing, unknown, 'under another key': strayed.length }))
      if (count > 0) faults.push(`Kafka ${type}: ${count} ${what}`);
  }
  return { messages, duplicates, faults };
}

function lastOfEachStream(records: readonly Fact[]): readonly Fact[] {
  return [...new Map(records.map((record) => [record.payload['stream_id'], record])).values()];
}

interface EpisodeRow {
  readonly id: string;
  readonly sequence: number;
  readonly label: string;
  readonly kept: number;
}

async function compareRows(
  records: readonly Fact[],
  url: string,
): Promise<{ readonly rows: number; readonly faults: readonly string[] }> {
  const faults: string[] = [];
  const note = (what: string, count: number): void => {
    if (count > 0) faults.push(`Postgres: ${count} ${what}`);
  };
  const episodes = await psql<EpisodeRow>(
    url,
    'SELECT episode_id::text AS id, sequence, label, kept_steps AS kept FROM actionstream.action_events',
  );
  const events = groupBy(
    records.filter(({ type }) => type === 'action.event'),
    ({ payload }) => String(payload['episode_id']),
  );
  const found = new Map(episodes.map((row) => [row.id, row]));
  note('episodes missing', [...events.keys()].filter((id) => !found.has(id)).length);
  note('episodes unknown', episodes.filter(({ id }) => !events.has(id)).length);
  note(
    'episodes that are not their last event',
    episodes.filter((row) => events.has(row.id) && !isLast(row, events.get(row.id) ?? [])).length,
  );

  const clips = await psql<{ key: string; kept: number }>(
    url,
    `SELECT concat_ws(' ', stream_id, clip_id, clip_seq, to_char(clip_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), run_id) AS key,
            kept_steps AS kept FROM actionstream.clip_stats`,
  );
  const wanted = new Map(
    records
      .filter(({ type }) => type === 'clip.stats')
      .map(({ payload }) => [clipKey(payload), keptOf(payload)]),
  );
  const rows = new Map(clips.map(({ key, kept }) => [key, kept]));
  note('clips missing', [...wanted.keys()].filter((key) => !rows.has(key)).length);
  note('clips unknown', clips.filter(({ key }) => !wanted.has(key)).length);
  note(
    'clips with other steps',
    [...wanted].filter(([key, kept]) => rows.has(key) && rows.get(key) !== kept).length,
  );

  const statuses = await psql<{ id: string }>(url, 'SELECT status_id AS id FROM actionstream.stream_status');
  const ids = new Set(
    records
      .filter(({ type, payload }) => type === 'stream.status' && payload['repeats'] === undefined)
      .map(({ payload }) => payload['status_id']),
  );
  note('statuses missing', [...ids].filter((id) => !statuses.some((row) => row.id === id)).length);
  note('statuses unknown', statuses.filter(({ id }) => !ids.has(id)).length);
  return { rows: episodes.length + clips.length + statuses.length, faults };
}

/** Of a live stream the highest sequence; of a file, which may have run again, any event of it. */
function isLast(row: EpisodeRow, events: readonly Fact[]): boolean {
  const isFile = events.some(({ payload }) => payload['run_id'] !== undefined);
  const highest = Math.max(...events.map(({ payload }) => Number(payload['sequence'])));
  return events.some(
    ({ payload }) =>
      payload['sequence'] === row.sequence &&
      payload['label'] === row.label &&
      keptOf(payload) === row.kept &&
      (isFile || row.sequence === highest),
  );
}

function keptOf(payload: Fact['payload']): number {
  return (payload['compute'] as { readonly kept_steps: number }).kept_steps;
}

function clipKey(payload: Fact['payload']): string {
  const {
    stream_id,
    clip_id,
    clip_seq,
    clip_start,
    run_id = '00000000-0000-0000-0000-000000000000',
  } = payload;
  return [stream_id, clip_id, clip_seq, clip_start, run_id].join(' ');
}

function groupBy(
  records: readonly Fact[],
  keyOf: (record: Fact) => string,
): ReadonlyMap<string, readonly Fact[]> {
  const groups = new Map<string, Fact[]>();
  for (const record of records) {
    const group = groups.get(keyOf(record)) ?? [];
    group.push(record);
    groups.set(keyOf(record), group);
  }
  return groups;
}
