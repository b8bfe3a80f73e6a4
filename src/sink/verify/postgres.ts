import { isDeepStrictEqual } from 'node:util';
import {
  recordIdOf,
  supersedes,
  type ActionEvent,
  type ClipStats,
  type PublishedRecord,
} from '../../core/records.ts';
import type { PostgresConnection } from '../postgres/connection.ts';
import { NO_RUN } from '../postgres/rows.ts';
import { openPostgresReader, readEpisodes, type PostgresReader } from '../postgres/reader.ts';
import { createDifferences, type Differences } from './differences.ts';
import type { JournalSlice } from './journal-slice.ts';
import { createRecordIndex, type RecordIndex } from './record-index.ts';
import type { Difference, SinkComparison } from './types.ts';

/** What is marked of an episode. */
const MARK = { differs: 1 } as const;

/**
 * Every episode's row must equal its last event in the journal, apart from timings (a file that was run twice gives
 * the same episodes, and the first run's row stays). Per stream, the journal's clips must be there with equal sums.
 * The journal is read once, page by page; what is held is an index of its episodes and clips (record-index.ts).
 */
export async function compareWithPostgres(
  slice: JournalSlice,
  connection: PostgresConnection,
): Promise<SinkComparison> {
  await using reader = await openPostgresReader(connection);
  const differences = createDifferences();
  const episodes = createRecordIndex();
  const clips = createRecordIndex();
  const sums: SumsOfBoth = { expected: new Map(), actual: new Map() };
  for await (const page of slice.pages()) {
    const records = await acceptable(
      reader,
      page.map(({ record }) => record),
    );
    await compareEpisodes(reader, lastEvents(records), { episodes, differences });
    await sumClips(reader, newClips(records, clips), sums);
  }
  compareSums(sums, differences);
  return {
    compared: episodes.size + clips.size,
    undelivered: slice.undelivered,
    duplicates: 0,
    deadLetters: await countDeadLetters(reader),
    differing: differences.count,
    differences: differences.first,
  };
}

/** Those that the tables did not refuse. */
async function acceptable(
  reader: PostgresReader,
  records: readonly PublishedRecord[],
): Promise<readonly PublishedRecord[]> {
  const rows = await reader.query<{ record_id: string }>(
    'SELECT record_id FROM actionstream.dead_letters WHERE record_id = ANY($1::text[])',
    [records.map(recordIdOf)],
  );
  if (rows.length === 0) return records;
  const letters = new Set(rows.map((row) => row.record_id));
  return records.filter((record) => !letters.has(recordIdOf(record)));
}

async function countDeadLetters(reader: PostgresReader): Promise<number> {
  const [row] = await reader.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM actionstream.dead_letters',
    [],
  );
  return row?.count ?? 0;
}

/** Of each episode the last event of the page. */
function lastEvents(records: readonly PublishedRecord[]): readonly ActionEvent[] {
  const last = new Map<string, ActionEvent>();
  for (const { type, payload } of records) {
    if (type !== 'action.event') continue;
    const held = last.get(payload.episode_id);
    if (!held || supersedes(payload, held)) last.set(payload.episode_id, payload);
  }
  return [...last.values()];
}

/**
 * A row that is further than the page is compared with the page that holds its event: only the episode's last event can
 * agree with it or miss it for good.
 */
async function compareEpisodes(
  reader: PostgresReader,
  events: readonly ActionEvent[],
  { episodes, differences }: { readonly episodes: RecordIndex; readonly differences: Differences },
): Promise<void> {
  if (events.length === 0) return;
  const ids = events.map(({ episode_id: id }) => id);
  const rows = await readEpisodes(reader, { sql: 'WHERE episode_id = ANY($1::uuid[])', values: [ids] });
  const byId = new Map(rows.map((row) => [row.episode_id, row]));
  for (const event of events) {
    const { episode_id: id } = event;
    const number = episodes.add(id) ?? episodes.numberOf(id) ?? 0;
    const difference = compareEpisode(event, byId.get(id));
    if (!difference) continue;
    if (episodes.mark(number, MARK.differs)) differences.add(difference);
    else differences.replace(difference);
  }
}

function compareEpisode(event: ActionEvent, row: ActionEvent | undefined): Difference | undefined {
  const subject = event.episode_id;
  if (!row) return { sink: 'postgres', problem: 'missing', subject, detail: 'no row in action_events' };
  if (supersedes(event, row)) {
    const detail = `the row is at ${placeOf(row)} and the journal at ${placeOf(event)}`;
    return { sink: 'postgres', problem: 'missing', subject, detail };
  }
  if (supersedes(row, event) || isDeepStrictEqual(withoutTimings(row), withoutTimings(event)))
    return undefined;
  return { sink: 'postgres', problem: 'payload', subject, detail: 'the row is not the last event' };
}

function placeOf({ sequence, end_reason: reason }: ActionEvent): string {
  return reason === undefined ? `sequence ${sequence}` : `sequence ${sequence} (${reason})`;
}

function withoutTimings(event: ActionEvent): object {
  const time = { ...event.time, ingested_at: '', processed_at: '' };
  return { ...event, time, compute: { ...event.compute, latency_ms: {} } };
}

/** Clips that no page before held, each once. */
function newClips(records: readonly PublishedRecord[], known: RecordIndex): readonly ClipStats[] {
  return records.flatMap(({ type, payload }) => {
    if (type !== 'clip.stats') return [];
    const { stream_id: stream, run_id: run = NO_RUN, clip_start: start, clip_seq: sequence } = payload;
    return known.add(`${stream} ${run} ${start} ${sequence}`) === undefined ? [] : [payload];
  });
}

interface Sums {
  readonly clips: number;
  readonly keptSteps: number;
  readonly multiplyAdds: number;
  readonly denseMultiplyAdds: number;
}

/** By stream: of the journal's clips, and of their rows. */
interface SumsOfBoth {
  readonly expected: Map<string, Sums>;
  readonly actual: Map<string, Sums>;
}

async function sumClips(
  reader: PostgresReader,
  clips: readonly ClipStats[],
  { expected, actual }: SumsOfBoth,
): Promise<void> {
  if (clips.length === 0) return;
  for (const { stream_id: stream, compute } of clips) {
    const {
      kept_steps: keptSteps,
      multiply_adds: multiplyAdds,
      dense_multiply_adds: denseMultiplyAdds,
    } = compute;
    expected.set(stream, add(expected.get(stream), { clips: 1, keptSteps, multiplyAdds, denseMultiplyAdds }));
  }
  const keys = clips.map(({ stream_id, run_id = NO_RUN, clip_start, clip_seq }) => {
    return { stream_id, run_id, clip_start, clip_seq };
  });
  const rows = await reader.query<Sums & { readonly stream_id: string }>(SUMS_OF_CLIPS, [
    JSON.stringify(keys),
  ]);
  for (const row of rows) actual.set(row.stream_id, add(actual.get(row.stream_id), row));
}

function compareSums({ expected, actual }: SumsOfBoth, differences: Differences): void {
  for (const [subject, sums] of expected) {
    const found = actual.get(subject) ?? NOTHING;
    if (agree(found, sums)) continue;
    const detail = `clip_stats ${JSON.stringify(found)}, journal ${JSON.stringify(sums)}`;
    differences.add({ sink: 'postgres', problem: 'sums', subject, detail });
  }
}

const SUMS_OF_CLIPS = `
  SELECT stream_id, count(*) AS clips, sum(kept_steps)::bigint AS "keptSteps",
         sum(multiply_adds) AS "multiplyAdds", sum(dense_multiply_adds) AS "denseMultiplyAdds"
    FROM jsonb_to_recordset($1::jsonb) AS given(stream_id text, run_id uuid, clip_start timestamptz, clip_seq bigint)
    JOIN actionstream.clip_stats USING (stream_id, clip_start, clip_seq, run_id)
   GROUP BY stream_id`;

const NOTHING: Sums = { clips: 0, keptSteps: 0, multiplyAdds: 0, denseMultiplyAdds: 0 };

/** Counts exactly; multiply-adds within the rounding of sums beyond 2^53, whose order is not ours. */
function agree(a: Sums, b: Sums): boolean {
  const close = (x: number, y: number): boolean => Math.abs(x - y) <= 1e-9 * Math.max(x, y);
  return (
    a.clips === b.clips &&
    a.keptSteps === b.keptSteps &&
    close(a.multiplyAdds, b.multiplyAdds) &&
    close(a.denseMultiplyAdds, b.denseMultiplyAdds)
  );
}

function add(a: Sums | undefined, b: Sums): Sums {
  if (!a)
    return {
      clips: b.clips,
      keptSteps: b.keptSteps,
      multiplyAdds: b.multiplyAdds,
      denseMultiplyAdds: b.denseMultiplyAdds,
    };
  return {
    clips: a.clips + b.clips,
    keptSteps: a.keptSteps + b.keptSteps,
    multiplyAdds: a.multiplyAdds + b.multiplyAdds,
    denseMultiplyAdds: a.denseMultiplyAdds + b.denseMultiplyAdds,
  };
}
