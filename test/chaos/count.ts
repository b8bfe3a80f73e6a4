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

/** Compares the journal with Kafka and Postgres, as strangers read them. */
export async function countBothSides(places: Places): Promise<Counts> {
  const { records, damagedFrames, holes } = parseJournal(places.journal);
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
  const sides = `journal ${journal}, Kafka ${kafka} (${duplicates} twice), rows ${rows}`;
  return faults.length === 0 ? `${sides}: equal` : `${sides}: ${faults.slice(0, 5).join('; ')}`;
}

async function compareMessages(
  records: readonly ParsedRecord[],
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

function lastOfEachStream(records: readonly ParsedRecord[]): readonly ParsedRecord[] {
  return [...new Map(records.map((record) => [record.payload['stream_id'], record])).values()];
}

interface EpisodeRow {
  readonly id: string;
  readonly sequence: number;
  readonly label: string;
  readonly kept: number;
}

async function compareRows(
  records: readonly ParsedRecord[],
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
    episodes.filter((row) => !isLast(row, events.get(row.id) ?? [])).length,
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
    records.filter(({ type }) => type === 'stream.status').map(({ payload }) => payload['status_id']),
  );
  note('statuses missing', [...ids].filter((id) => !statuses.some((row) => row.id === id)).length);
  note('statuses unknown', statuses.filter(({ id }) => !ids.has(id)).length);
  return { rows: episodes.length + clips.length + statuses.length, faults };
}

/** Of a live stream the highest sequence; of a file, which may have run again, any event of it. */
function isLast(row: EpisodeRow, events: readonly ParsedRecord[]): boolean {
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

function keptOf(payload: ParsedRecord['payload']): number {
  return (payload['compute'] as { readonly kept_steps: number }).kept_steps;
}

function clipKey(payload: ParsedRecord['payload']): string {
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
  records: readonly ParsedRecord[],
  keyOf: (record: ParsedRecord) => string,
): ReadonlyMap<string, readonly ParsedRecord[]> {
  const groups = new Map<string, ParsedRecord[]>();
  for (const record of records) {
    const group = groups.get(keyOf(record)) ?? [];
    group.push(record);
    groups.set(keyOf(record), group);
  }
  return groups;
}
