import { describe, expect, test } from 'vitest';
import { supersedes, type ActionEvent, type PublishedRecord } from '../../../src/core/records.ts';
import { migrate } from '../../../src/sink/postgres/migrate.ts';
import { initial } from '../../../src/sink/postgres/migrations/0001-initial.ts';
import { delta } from '../../../src/sink/postgres/migrations/0002-delta.ts';
import { reusedSteps } from '../../../src/sink/postgres/migrations/0003-reused-steps.ts';
import { reusedKeptSteps } from '../../../src/sink/postgres/migrations/0004-reused-kept-steps.ts';
import { createPostgresSink } from '../../../src/sink/postgres/postgres-sink.ts';
import { openPostgresReader, readEpisodes } from '../../../src/sink/postgres/reader.ts';
import { queryEvents } from '../../../src/sink/query.ts';
import { stored } from '../../contract/event-sink.contract.ts';
import { rowsOf, runSql, temporaryDatabase } from '../../support/names.ts';
import { actionEvent, clipStats, streamStatus } from '../../support/records.ts';

const never = new AbortController().signal;
const [RUN, OTHER] = ['d3a1f1b6-0000-5000-8000-000000000001', 'd3a1f1b6-0000-5000-8000-000000000002'];

/** What the table holds of one episode after these batches. */
async function heldAfter(
  url: string,
  batches: readonly (readonly PublishedRecord[])[],
): Promise<ActionEvent> {
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(never);
  await runSql(url, 'TRUNCATE actionstream.action_events');
  for (const batch of batches) await sink.write(stored(batch), never);
  await using reader = await openPostgresReader({ url });
  const [held] = await readEpisodes(reader, { sql: '', values: [] });
  return held!;
}

const change = (sequence: number, more: Partial<ActionEvent> = {}): PublishedRecord =>
  actionEvent({ state: 'updated', run_id: RUN, sequence, ...more });
const end = (sequence: number, reason: ActionEvent['end_reason'], seconds: number): PublishedRecord =>
  change(sequence, {
    state: 'ended',
    end_reason: reason!,
    ended_at: `2026-11-22T10:00:0${seconds}.000Z`,
    duration_ms: 1000 * seconds,
  });

/** Of a live stream in a fleet. */
const ofOwner = (writerEpoch: number, { payload }: PublishedRecord): PublishedRecord => ({
  type: 'action.event',
  payload: JSON.parse(
    JSON.stringify({ ...payload, run_id: undefined, writer_epoch: writerEpoch }),
  ) as ActionEvent,
});

describe('a file that was interrupted and is run again', () => {
  const interrupted = [change(0), change(1), end(2, 'shutdown', 2)];
  const rerun = [change(0), change(1), change(2), end(3, 'end_of_stream', 9)];
  const short = [change(0), change(1), end(2, 'below_threshold', 3)];

  test.each([
    ['in a batch of their own', [interrupted, rerun]],
    ['in one batch', [[...interrupted, ...rerun]]],
    ['the other way round', [rerun, interrupted]],
    ['each record alone, twice', [...interrupted, ...rerun, ...interrupted].map((record) => [record])],
    ['with an end of the same sequence', [interrupted, short]],
    ['with an end of the same sequence, the other way round', [short, interrupted]],
  ])('keeps the true end: %s', async (_, batches) => {
    const held = await heldAfter(await temporaryDatabase(), batches);

    expect(held.end_reason).toMatch(/^(end_of_stream|below_threshold)$/);
  });

  test('the table keeps what `supersedes` keeps, for every pair of events', async () => {
    const url = await temporaryDatabase();
    const events = [
      ...[change(0), change(1), change(2), end(1, 'below_threshold', 4), end(2, 'end_of_stream', 4)],
      ...[end(1, 'shutdown', 2), end(1, 'restart', 3), end(2, 'shutdown', 1), end(2, 'restart', 5)],
      ...[
        ofOwner(1, change(2)),
        ofOwner(1, end(3, 'shutdown', 2)),
        ofOwner(2, change(0)),
        ofOwner(2, end(1, 'moved', 1)),
      ],
    ];
    for (const first of events)
      for (const second of events) {
        const [a, b] = [first.payload as ActionEvent, second.payload as ActionEvent];
        const wanted = supersedes(b, a) ? b : a;
        expect(await heldAfter(url, [[first], [second]]), JSON.stringify([a, b])).toEqual(wanted);
      }
  });

  test('of a live stream an interruption is an end like any other', async () => {
    const live = ({ payload }: PublishedRecord): PublishedRecord => ({
      type: 'action.event',
      payload: JSON.parse(JSON.stringify({ ...payload, run_id: undefined })) as ActionEvent,
    });
    const held = await heldAfter(await temporaryDatabase(), [
      [live(end(2, 'shutdown', 2))],
      [live(end(2, 'below_threshold', 3))],
    ]);

    expect(held.end_reason).toBe('shutdown');
  });
});

test('recordings of one name stand side by side, and the counts add up', async () => {
  const url = await temporaryDatabase();
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(never);
  const clipsOf = (run: string | undefined): readonly PublishedRecord[] =>
    [0, 1, 2].map((clip_seq) => clipStats({ clip_seq, ...(run !== undefined && { run_id: run }) }));
  const event = actionEvent({ run_id: RUN, state: 'ended' });
  for (const run of [RUN, OTHER, undefined, RUN])
    await sink.write(stored([...clipsOf(run), event, streamStatus({ run_id: RUN })]), never);

  const counts = await rowsOf(
    url,
    'SELECT run_id, count(*)::int AS n FROM actionstream.clip_stats GROUP BY 1 ORDER BY 1',
  );
  expect(counts).toEqual([
    { run_id: '00000000-0000-0000-0000-000000000000', n: 3 },
    { run_id: RUN, n: 3 },
    { run_id: OTHER, n: 3 },
  ]);
  const hours = await rowsOf(
    url,
    'SELECT run_id, clips::int FROM actionstream.clip_stats_1h ORDER BY run_id NULLS FIRST',
  );
  expect(hours).toEqual([null, RUN, OTHER].map((run_id) => ({ run_id, clips: 3 })));
  expect(await rowsOf(url, 'SELECT run_id FROM actionstream.action_history')).toEqual([{ run_id: RUN }]);
  expect(await rowsOf(url, 'SELECT run_id FROM actionstream.stream_status')).toEqual([{ run_id: RUN }]);

  await using reader = await openPostgresReader({ url });
  const found = await queryEvents(reader, { runId: RUN }, { limit: 10 });
  expect(found.events).toEqual([event.payload]);
  expect((await queryEvents(reader, { runId: OTHER }, { limit: 10 })).events).toEqual([]);
});

test('a database of version 4 with its rows is brought up to date, and its clips are not written twice', async () => {
  const url = await temporaryDatabase();
  await runSql(
    url,
    `CREATE SCHEMA actionstream; CREATE TABLE actionstream.schema_migrations
       (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
     ${[initial, delta, reusedSteps, reusedKeptSteps].map(({ sql }) => sql).join('\n')}
     INSERT INTO actionstream.schema_migrations (version, name) VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');
     CREATE TABLE actionstream.clip_stats_2026_11_22 (LIKE actionstream.clip_stats INCLUDING CONSTRAINTS);
     ALTER TABLE actionstream.clip_stats ATTACH PARTITION actionstream.clip_stats_2026_11_22
       FOR VALUES FROM ('2026-11-22T00:00:00Z') TO ('2026-11-23T00:00:00Z');
     INSERT INTO actionstream.clip_stats SELECT 'cam-1', '2026-11-22T10:00:00Z', 0, 'cam-1/0/0',
       '2026-11-22T10:00:01Z', 0, 32, '[]', 'ordered', 3, 32, 1, 1, 0, 0, 0, 0, 0, 0, 'null', 'cpu', 'm', '1', 'd', 'i', '1'`,
  );

  expect((await migrate({ url })).slice(0, 3)).toEqual([5, 6, 7]);
  await using sink = createPostgresSink({ url });
  await sink.open(never);
  await sink.write(stored([clipStats({ clip_seq: 0 }), clipStats({ clip_seq: 1 })]), never);

  expect(
    await rowsOf(
      url,
      'SELECT clip_seq::int AS n, kept_steps::int AS kept FROM actionstream.clip_stats ORDER BY 1',
    ),
  ).toEqual([
    { n: 0, kept: 3 },
    { n: 1, kept: 3 },
  ]);
});
