import { expect, test } from 'vitest';
import type { PublishedRecord } from '../../../src/core/records.ts';
import { openJournal } from '../../../src/sink/journal/open-journal.ts';
import { createPostgresSink } from '../../../src/sink/postgres/postgres-sink.ts';
import { verifyDelivery, type VerifyResult } from '../../../src/sink/verify.ts';
import { runSql, temporaryDatabase } from '../../support/names.ts';
import { actionEvent, clipStats, streamStatus } from '../../support/records.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const never = new AbortController().signal;
const RUN = '11111111-1111-5111-8111-111111111111';

const RECORDS: readonly PublishedRecord[] = [
  streamStatus(),
  actionEvent(),
  clipStats(),
  clipStats({ clip_seq: 1 }),
  actionEvent({ state: 'ended' }),
  streamStatus({
    n: 1,
    state: 'gap',
    gap: { from: '2026-11-22T10:00:00.000Z', to: '2026-11-22T11:00:00.000Z' },
  }),
  streamStatus({ n: 2, state: 'down', reason: 'exit' }),
  actionEvent({ episode: 1 }),
];

interface Delivered {
  readonly url: string;
  readonly journalDir: string;
  readonly verify: () => Promise<VerifyResult>;
}

/**
 * A journal of batches, each of a later time than the one before, and a
 * database that has received all of them.
 */
async function delivered(...batches: readonly (readonly PublishedRecord[])[]): Promise<Delivered> {
  const url = await temporaryDatabase();
  const journalDir = await temporaryDirectory();
  await using journal = await openJournal({ dir: journalDir, consumers: ['postgres'] });
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(never);
  for (const batch of batches) {
    const { firstOffset } = await journal.append(batch);
    await sink.write(await journal.read(firstOffset, 1000), never);
  }
  await journal.checkpoint('postgres', journal.nextOffset);
  return { url, journalDir, verify: () => verifyDelivery({ journalDir, postgres: { url }, signal: never }) };
}

test('what was delivered is consistent', async () => {
  const { verify } = await delivered(RECORDS);

  expect(await verify()).toMatchObject({
    consistent: true,
    differences: [],
    sinks: { postgres: { compared: 7, undelivered: 0, deadLetters: 0, expired: 0, foreign: 0 } },
  });
});

const damages: readonly (readonly [what: string, sql: string, problem: string])[] = [
  ['an episode deleted', `DELETE FROM action_events WHERE sequence = 2`, 'missing'],
  ['a clip deleted', `DELETE FROM clip_stats WHERE clip_seq = 1`, 'missing'],
  ['all statuses deleted', `DELETE FROM stream_status`, 'missing'],
  ['all gaps deleted', `DELETE FROM stream_gaps`, 'payload'],
  ['all streams deleted', `DELETE FROM streams`, 'missing'],
  ['a stream in another state', `UPDATE streams SET state = 'up'`, 'payload'],
  ['an episode set back', `UPDATE action_events SET sequence = 0, state = 'started'`, 'payload'],
  ['a label changed', `UPDATE action_events SET label = 'dancing'`, 'payload'],
  [
    'a label changed with a raised sequence',
    `UPDATE action_events SET label = 'dancing', sequence = 9`,
    'payload',
  ],
  ['a peak changed in its last digit', `UPDATE action_events SET score_peak = score_peak + 1e-15`, 'payload'],
  [
    'an offset moved by a microsecond',
    `UPDATE action_events SET ended_at = ended_at + interval '1us'`,
    'payload',
  ],
  ['a latency changed', `UPDATE clip_stats SET latency_e2e_ms = 1`, 'payload'],
  ['clip scores changed', `UPDATE clip_stats SET scores = '[]'`, 'payload'],
  ['a clip id changed', `UPDATE clip_stats SET clip_id = 'x'`, 'payload'],
  ['a clip model changed', `UPDATE clip_stats SET model_id = 'other'`, 'payload'],
  ['a clip end changed', `UPDATE clip_stats SET clip_end = '2001-01-01'`, 'payload'],
  [
    'steps moved between clips',
    `UPDATE clip_stats SET kept_steps = kept_steps + 1 - 2 * clip_seq`,
    'payload',
  ],
  ['a gap made shorter', `UPDATE stream_gaps SET to_at = from_at`, 'payload'],
  [
    'an extra episode',
    `CREATE TEMP TABLE copy AS SELECT * FROM action_events LIMIT 1; UPDATE copy SET episode_id = gen_random_uuid();
     INSERT INTO action_events SELECT * FROM copy`,
    'unknown',
  ],
  [
    'an episode twice, with another onset',
    `CREATE TEMP TABLE copy AS SELECT * FROM action_events LIMIT 1;
     UPDATE copy SET started_at = started_at + interval '1s'; INSERT INTO action_events SELECT * FROM copy`,
    'unknown',
  ],
  [
    'an extra clip with an id that is known',
    `CREATE TEMP TABLE copy AS SELECT * FROM clip_stats WHERE clip_seq = 0; UPDATE copy SET clip_seq = 1000;
     INSERT INTO clip_stats SELECT * FROM copy`,
    'unknown',
  ],
  [
    'an extra clip, recorded by nobody',
    `CREATE TEMP TABLE copy AS SELECT * FROM clip_stats WHERE clip_seq = 0;
     UPDATE copy SET clip_seq = 1000, clip_id = 'x', recorded_at = now();
     INSERT INTO clip_stats SELECT * FROM copy`,
    'unknown',
  ],
  [
    'an extra status',
    `INSERT INTO stream_status (status_id, stream_id, state, at, reason, pipeline_instance, pipeline_version)
     VALUES ('x', 'cam-1', 'up', now(), 'start', 'test', '0')`,
    'unknown',
  ],
  [
    'an extra gap',
    `INSERT INTO stream_gaps (status_id, stream_id, from_at, to_at, reason)
     VALUES ('cam-1:test:77', 'cam-1', now(), now(), 'outage')`,
    'unknown',
  ],
  [
    'an episode hidden among the dead letters',
    `WITH gone AS (DELETE FROM action_events WHERE sequence = 2 RETURNING episode_id)
     INSERT INTO dead_letters (record_id, record_type, reason, payload)
     SELECT episode_id || ':' || n, 'action.event', 'x', '{}' FROM gone, generate_series(0, 2) AS n`,
    'dead_letter',
  ],
];

test.each(damages)('found: %s', async (_, sql, problem) => {
  const { url, verify } = await delivered(RECORDS);

  await runSql(url, `SET search_path = actionstream, public; ${sql}`);

  const { consistent, differences } = await verify();
  expect(consistent).toBe(false);
  expect([...new Set(differences.map((difference) => difference.problem))]).toEqual([problem]);
});

test('a difference names the column, what it is and what it should be', async () => {
  const { url, verify } = await delivered(RECORDS);

  await runSql(url, `UPDATE actionstream.action_events SET label = 'dancing' WHERE sequence = 2`);

  expect((await verify()).differences[0]?.detail).toBe(
    'action_events: label is "dancing", not "lifting_brick"',
  );
});

test('a file that is run again, with other timings, is consistent: the first run keeps its row', async () => {
  const clip = clipStats({ run_id: RUN });
  const { compute } = clip.payload;
  const again = clipStats({
    run_id: RUN,
    compute: { ...compute, latency_ms: { ...compute.latency_ms, e2e: 5 } },
  });
  const { url, verify } = await delivered(
    [clip, actionEvent({ run_id: RUN })],
    [again, actionEvent({ run_id: RUN })],
  );

  expect(await verify()).toMatchObject({ consistent: true, differences: [] });
  await runSql(url, `UPDATE actionstream.clip_stats SET kept_steps = 99`);
  expect((await verify()).differences).toMatchObject([{ problem: 'payload' }]);
});

test('an interruption that a rerun has replaced is consistent, and so is a database that only saw the interruption', async () => {
  const cut = actionEvent({ run_id: RUN, state: 'ended', end_reason: 'shutdown' });
  const whole = actionEvent({ run_id: RUN, state: 'ended', label_id: 134 });

  const both = await delivered([cut], [whole]);
  expect(await both.verify()).toMatchObject({ consistent: true });
  await runSql(both.url, `UPDATE actionstream.action_events SET end_reason = 'shutdown'`);
  expect((await both.verify()).differences).toMatchObject([{ problem: 'missing' }]);
});

test('rows of other instances, streams and times raise no alarm and are counted', async () => {
  const { url, verify } = await delivered(RECORDS);
  await using sink = createPostgresSink({ url });
  await sink.open(never);
  const pipeline = { instance: 'elsewhere', version: '0.0.0' };
  const others = [
    actionEvent({ episode: 7, pipeline, time: { ...actionEvent().payload.time, processed_at: now() } }),
    clipStats({ clip_seq: 7, pipeline }),
    actionEvent({ episode: 8, stream_id: 'cam-9' }),
    streamStatus({ n: 9, pipeline, state: 'up' }),
  ];

  await sink.write(
    others.map((record, offset) => ({ offset, record, recordedAtMs: Date.now() })),
    never,
  );

  const result = await verify();
  expect(result).toMatchObject({ consistent: true, differences: [] });
  expect(result.sinks['postgres']?.foreign).toBeGreaterThan(0);
});

test('a partition that was dropped has expired, and a deleted row has not', async () => {
  const { url, verify } = await delivered(RECORDS);

  await runSql(url, 'DROP TABLE actionstream.clip_stats_2026_11_22');

  expect(await verify()).toMatchObject({ consistent: true, sinks: { postgres: { expired: 2 } } });
});

test('a record that its table refuses is excused by its dead letter', async () => {
  const { verify } = await delivered([...RECORDS, clipStats({ clip_seq: 5, frames: 2 ** 40 })]);

  expect(await verify()).toMatchObject({ consistent: true, sinks: { postgres: { deadLetters: 1 } } });
});

test('only the time that was asked for is compared', async () => {
  const { url, journalDir } = await delivered([RECORDS[0]!], [RECORDS[1]!, RECORDS[2]!]);
  await runSql(url, 'DELETE FROM actionstream.action_events');
  const ask = (fromMs: number, toMs: number) =>
    verifyDelivery({ journalDir, postgres: { url }, range: { fromMs, toMs }, signal: never });

  expect(await ask(0, 1)).toMatchObject({ consistent: true, sinks: { postgres: { compared: 0 } } });
  expect(await ask(0, Date.now() + 1000)).toMatchObject({ consistent: false });
});

function now(): string {
  return new Date().toISOString();
}
