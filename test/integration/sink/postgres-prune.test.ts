import { expect, inject, onTestFinished, test } from 'vitest';
import { createPostgresSink } from '../../../src/sink/postgres/postgres-sink.ts';
import { pruneDatabase } from '../../../src/sink/postgres/prune.ts';
import type { StoredRecord } from '../../../src/sink/event-sink.ts';
import type { PublishedRecord } from '../../../src/core/records.ts';
import { heldSession, rowsOf, runSql, uniqueDatabase } from '../../support/names.ts';
import { actionEvent, clipStats, streamStatus } from '../../support/records.ts';

const never = new AbortController().signal;
const RUN = 'd3a1f1b6-0000-5000-8000-000000000001';

const recorded = (records: readonly PublishedRecord[], day: number): readonly StoredRecord[] =>
  records.map((record, offset) => ({ offset, record, recordedAtMs: Date.UTC(2026, 10, day) }));

async function written(batches: readonly (readonly StoredRecord[])[]): Promise<string> {
  const { url, drop } = await uniqueDatabase(inject('postgresUrl'));
  onTestFinished(drop);
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(never);
  for (const batch of batches) await sink.write(batch, never);
  return url;
}

test('results of files without start_time stay as long as their recording is young', async () => {
  const ofFile = (episode: number, day: number): readonly StoredRecord[] => {
    const at = `1970-01-01T00:00:0${episode}.000Z`;
    const processed = new Date(Date.UTC(2026, 10, day)).toISOString();
    const { time } = actionEvent().payload;
    const event = actionEvent({
      episode,
      run_id: RUN,
      started_at: at,
      time: { ...time, processed_at: processed },
    });
    return recorded([event, clipStats({ clip_seq: episode, clip_start: at, run_id: RUN })], day);
  };
  const url = await written([ofFile(1, 1), ofFile(2, 20), recorded([clipStats()], 22)]);

  const before = new Date('2026-11-10T00:00:00Z');
  const pruned = await pruneDatabase({ url }, { eventsBefore: before, clipStatsBefore: before });

  expect(pruned).toEqual({ dropped: [], deleted: { action_events_1970_01: 1, clip_stats_1970_01_01: 1 } });
  expect(await rowsOf(url, 'SELECT started_at FROM actionstream.action_events')).toEqual([
    { started_at: new Date('1970-01-01T00:00:02.000Z') },
  ]);
  expect(await rowsOf(url, 'SELECT clip_seq::int AS n FROM actionstream.clip_stats ORDER BY 1')).toEqual([
    { n: 0 },
    { n: 2 },
  ]);
});

test('status, gaps and refused records go by when they were recorded', async () => {
  const gap = { from: '1970-01-01T00:00:01.000Z', to: '1970-01-01T00:00:02.000Z' };
  const records = (n: number): readonly PublishedRecord[] => [
    streamStatus({ n }),
    streamStatus({ n: n + 1, state: 'gap', at: gap.to, gap }),
  ];
  const url = await written([recorded(records(0), 1), recorded(records(2), 20)]);
  await runSql(
    url,
    `INSERT INTO actionstream.dead_letters (record_id, record_type, reason, payload, received_at)
     VALUES ('old', 'x', 'y', '{}', '2026-11-01'), ('new', 'x', 'y', '{}', '2026-11-20')`,
  );

  const before = new Date('2026-11-10T00:00:00Z');
  const pruned = await pruneDatabase({ url }, { statusBefore: before, deadLettersBefore: before });

  expect(pruned.deleted).toEqual({ stream_status: 2, stream_gaps: 1, dead_letters: 1 });
  expect(await rowsOf(url, 'SELECT status_id FROM actionstream.stream_gaps')).toEqual([
    { status_id: 'cam-1:test:3' },
  ]);
});

test('many rows go in batches, all of them and only those', async () => {
  const url = await written([]);
  // Some 6000 blocks: three batches.
  await runSql(
    url,
    `INSERT INTO actionstream.dead_letters (record_id, record_type, reason, payload, received_at)
     SELECT n, 'x', 'y', repeat('p', 2000), CASE WHEN n % 10 = 0 THEN '2026-11-20' ELSE '2026-11-01' END::timestamptz
       FROM generate_series(1, 20000) n`,
  );

  const pruned = await pruneDatabase({ url }, { deadLettersBefore: new Date('2026-11-10T00:00:00Z') });

  expect(pruned.deleted).toEqual({ dead_letters: 18_000 });
  expect(await rowsOf(url, 'SELECT count(*)::int AS n FROM actionstream.dead_letters')).toEqual([
    { n: 2000 },
  ]);
});

test('a drop that readers hold up gives up soon, and says so', async () => {
  const url = await written([recorded([clipStats({ clip_start: '2020-05-17T12:00:00.000Z' })], 1)]);
  onTestFinished(await heldSession(url, 'BEGIN; SELECT 1 FROM actionstream.clip_stats LIMIT 1'));

  await expect(
    pruneDatabase({ url }, { clipStatsBefore: new Date('2021-01-01T00:00:00Z') }),
  ).rejects.toMatchObject({ retryable: true, message: expect.stringContaining('lock') as string });
});
