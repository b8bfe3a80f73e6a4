import { isDeepStrictEqual } from 'node:util';
import { recordIdOf, type ActionEvent, type ClipStats } from '../../core/records.ts';
import type { PostgresConnection } from '../postgres/connection.ts';
import { openPostgresReader, readEpisodes, type PostgresReader } from '../postgres/reader.ts';
import type { Difference, JournalContent, SinkComparison } from './types.ts';

/**
 * Every episode's row must equal its last event in the journal, apart from timings (a file that was run twice gives
 * the same episodes, and the first run's row stays). Per stream, the journal's clips must be there with equal sums.
 */
export async function compareWithPostgres(
  content: JournalContent,
  connection: PostgresConnection,
): Promise<SinkComparison> {
  await using reader = await openPostgresReader(connection);
  const letters = await deadLetters(reader);
  const episodes = [...content.episodes.values()].filter(
    (event) => !letters.has(recordIdOf({ type: 'action.event', payload: event })),
  );
  const clips = distinctClips(content, letters);
  const differences = [...(await compareEpisodes(reader, episodes)), ...(await compareClips(reader, clips))];
  return {
    compared: episodes.length + clips.length,
    undelivered: content.undelivered,
    duplicates: 0,
    deadLetters: letters.size,
    differences,
  };
}

const PAGE = 1000;

async function deadLetters(reader: PostgresReader): Promise<ReadonlySet<string>> {
  const rows = await reader.query<{ record_id: string }>(
    'SELECT record_id FROM actionstream.dead_letters',
    [],
  );
  return new Set(rows.map((row) => row.record_id));
}

async function compareEpisodes(
  reader: PostgresReader,
  events: readonly ActionEvent[],
): Promise<readonly Difference[]> {
  const differences: Difference[] = [];
  for (let start = 0; start < events.length; start += PAGE) {
    const page = events.slice(start, start + PAGE);
    const ids = page.map(({ episode_id: id }) => id);
    const rows = await readEpisodes(reader, { sql: 'WHERE episode_id = ANY($1::uuid[])', values: [ids] });
    const byId = new Map(rows.map((row) => [row.episode_id, row]));
    for (const event of page) {
      const difference = compareEpisode(event, byId.get(event.episode_id));
      if (difference) differences.push(difference);
    }
  }
  return differences;
}

function compareEpisode(event: ActionEvent, row: ActionEvent | undefined): Difference | undefined {
  const subject = event.episode_id;
  if (!row) return { sink: 'postgres', problem: 'missing', subject, detail: 'no row in action_events' };
  if (row.sequence < event.sequence) {
    const detail = `the row is at sequence ${row.sequence} and the journal at ${event.sequence}`;
    return { sink: 'postgres', problem: 'missing', subject, detail };
  }
  if (row.sequence > event.sequence || isDeepStrictEqual(withoutTimings(row), withoutTimings(event)))
    return undefined;
  return { sink: 'postgres', problem: 'payload', subject, detail: 'the row is not the last event' };
}

function withoutTimings(event: ActionEvent): object {
  const time = { ...event.time, ingested_at: '', processed_at: '' };
  return { ...event, time, compute: { ...event.compute, latency_ms: {} } };
}

function distinctClips({ records }: JournalContent, letters: ReadonlySet<string>): readonly ClipStats[] {
  const clips = new Map<string, ClipStats>();
  for (const record of records) {
    if (record.type !== 'clip.stats' || letters.has(recordIdOf(record))) continue;
    const { stream_id: stream, clip_start: start, clip_seq: sequence } = record.payload;
    const key = `${stream} ${start} ${sequence}`;
    if (!clips.has(key)) clips.set(key, record.payload);
  }
  return [...clips.values()];
}

interface Sums {
  readonly clips: number;
  readonly keptSteps: number;
  readonly multiplyAdds: number;
  readonly denseMultiplyAdds: number;
}

async function compareClips(
  reader: PostgresReader,
  clips: readonly ClipStats[],
): Promise<readonly Difference[]> {
  const expected = sumsByStream(clips);
  const actual = new Map<string, Sums>();
  for (let start = 0; start < clips.length; start += PAGE) {
    const page = clips.slice(start, start + PAGE);
    const rows = await reader.query<Sums & { readonly stream_id: string }>(SUMS_OF_CLIPS, [
      JSON.stringify(
        page.map(({ stream_id, clip_start, clip_seq }) => ({ stream_id, clip_start, clip_seq })),
      ),
    ]);
    for (const row of rows) actual.set(row.stream_id, add(actual.get(row.stream_id), row));
  }
  return [...expected].flatMap(([subject, sums]) => {
    const found = actual.get(subject) ?? NOTHING;
    if (agree(found, sums)) return [];
    const detail = `clip_stats ${JSON.stringify(found)}, journal ${JSON.stringify(sums)}`;
    return [{ sink: 'postgres', problem: 'sums', subject, detail } as const];
  });
}

const SUMS_OF_CLIPS = `
  SELECT stream_id, count(*) AS clips, sum(kept_steps)::bigint AS "keptSteps",
         sum(multiply_adds) AS "multiplyAdds", sum(dense_multiply_adds) AS "denseMultiplyAdds"
    FROM jsonb_to_recordset($1::jsonb) AS given(stream_id text, clip_start timestamptz, clip_seq bigint)
    JOIN actionstream.clip_stats USING (stream_id, clip_start, clip_seq)
   GROUP BY stream_id`;

const NOTHING: Sums = { clips: 0, keptSteps: 0, multiplyAdds: 0, denseMultiplyAdds: 0 };

function sumsByStream(clips: readonly ClipStats[]): ReadonlyMap<string, Sums> {
  const sums = new Map<string, Sums>();
  for (const { stream_id: stream, compute } of clips) {
    const {
      kept_steps: keptSteps,
      multiply_adds: multiplyAdds,
      dense_multiply_adds: denseMultiplyAdds,
    } = compute;
    sums.set(stream, add(sums.get(stream), { clips: 1, keptSteps, multiplyAdds, denseMultiplyAdds }));
  }
  return sums;
}

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
