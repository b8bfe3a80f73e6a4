import { expect, onTestFinished, test } from 'vitest';
import { createPostgresSink } from '../../../src/sink/postgres/postgres-sink.ts';
import { openJournal } from '../../../src/sink/journal/open-journal.ts';
import { pruneDatabase } from '../../../src/sink/postgres/prune.ts';
import { rebuildPostgres } from '../../../src/sink/rebuild.ts';
import { verifyDelivery } from '../../../src/sink/verify.ts';
import type { StoredRecord } from '../../../src/sink/event-sink.ts';
import type { PublishedRecord } from '../../../src/core/records.ts';
import { heldSession, rowsOf, runSql, temporaryDatabase } from '../../support/names.ts';
import { actionEvent, clipStats, streamStatus } from '../../support/records.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const never = new AbortController().signal;
const RUN = 'd3a1f1b6-0000-5000-8000-000000000001';

const recorded = (records: readonly PublishedRecord[], day: number): readonly StoredRecord[] =>
  records.map((record, offset) => ({ offset, record, recordedAtMs: Date.UTC(2026, 10, day) }));

async function written(batches: readonly (readonly StoredRecord[])[]): Promise<string> {
  const url = await temporaryDatabase();
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

test('what prune has deleted is expired, not missing, and no redelivery or rebuild brings it back', async () => {
  const url = await temporaryDatabase();
  const dir = await temporaryDirectory();
  await using journal = await openJournal({ dir, consumers: ['postgres'] });
  await using sink = createPostgresSink({ url, autoMigrate: true });
  const deliver = async (records: readonly PublishedRecord[], to = sink): Promise<void> => {
    const { firstOffset } = await journal.append(records);
    await to.write(await journal.read(firstOffset, 1000), never);
    await journal.checkpoint('postgres', journal.nextOffset);
  };
  const verify = () => verifyDelivery({ journalDir: dir, postgres: { url }, signal: never });
  const counts = async () => (await rowsOf(url, COUNTS))[0];
  await sink.open(never);
  await deliver(generation(0));
  const before = await later();
  await deliver(generation(1));

  await pruneDatabase({ url }, { eventsBefore: before, clipStatsBefore: before, statusBefore: before });
  // A recording of 2019 that is read after the prune: its rows are not what was deleted.
  await deliver([clipStats({ clip_seq: 9, clip_start: '2019-03-02T12:00:00.000Z', run_id: RUN })]);
  const left = { events: 1, clips: 2, statuses: 2, gaps: 1 };
  expect(await counts()).toEqual(left);
  expect(await verify()).toMatchObject({
    ...{ consistent: true, differences: [] },
    sinks: { postgres: { compared: 11, expired: 6 } },
  });

  const again = createPostgresSink({ url });
  await again.write(await journal.read(0, 1000), never);
  await again[Symbol.asyncDispose]();
  expect(again.leftOut).toBe(6);
  const source = { kind: 'journal', dir } as const;
  const rebuilt = await rebuildPostgres({ source, postgres: { url }, force: true, signal: never });
  expect(rebuilt).toMatchObject({ records: 11, leftOut: 6 });
  expect(await counts()).toEqual(left);
  expect(await verify()).toMatchObject({ consistent: true });

  // What else is gone is missed.
  await runSql(url, 'DELETE FROM actionstream.stream_status');
  expect(await verify()).toMatchObject({ consistent: false, sinks: { postgres: { differing: 2 } } });
});

test('a pruning that keeps more does not take the earlier one back, and one that keeps less replaces it', async () => {
  const url = await written([]);
  const cutoffs = async () =>
    rowsOf(url, 'SELECT recorded_before AS at FROM actionstream.prunings ORDER BY 1');
  const [first, second, third] = [1, 10, 20].map((day) => new Date(Date.UTC(2026, 10, day)));

  await pruneDatabase({ url }, { deadLettersBefore: second! });
  await pruneDatabase({ url }, { deadLettersBefore: first! });
  expect(await cutoffs()).toEqual([{ at: first }, { at: second }]);
  await pruneDatabase({ url }, { deadLettersBefore: third! });
  expect(await cutoffs()).toEqual([{ at: third }]);
});

const COUNTS = `SELECT (SELECT count(*)::int FROM actionstream.action_events) AS events,
  (SELECT count(*)::int FROM actionstream.clip_stats) AS clips,
  (SELECT count(*)::int FROM actionstream.stream_status) AS statuses,
  (SELECT count(*)::int FROM actionstream.stream_gaps) AS gaps`;

/**
 * Of a file without start_time an episode and a clip, of a camera a status and
 * a gap; and in 2019 a clip that is to be dropped.
 */
function generation(n: number): readonly PublishedRecord[] {
  const at = '1970-01-01T00:00:01.000Z';
  const { time } = actionEvent().payload;
  const processed = new Date().toISOString();
  const gap = { from: '1970-01-01T00:00:01.000Z', to: '1970-01-01T00:00:02.000Z' };
  return [
    actionEvent({ episode: n, run_id: RUN, started_at: at, time: { ...time, processed_at: processed } }),
    clipStats({ clip_seq: n, clip_start: at, run_id: RUN }),
    streamStatus({ n: 2 * n }),
    streamStatus({ n: 2 * n + 1, state: 'gap', at: gap.to, gap }),
    clipStats({ clip_seq: n, clip_start: '2019-03-01T10:00:00.000Z' }),
  ];
}

/** A moment that is over. */
async function later(): Promise<Date> {
  const moment = new Date(Date.now() + 1);
  await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(moment.getTime());
  return moment;
}
