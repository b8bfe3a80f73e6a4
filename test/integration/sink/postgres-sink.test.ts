import { spawnSync } from 'node:child_process';
import { expect, inject, test } from 'vitest';
import { migrate } from '../../../src/sink/postgres/migrate.ts';
import { createPostgresSink } from '../../../src/sink/postgres/postgres-sink.ts';
import { pruneDatabase } from '../../../src/sink/postgres/prune.ts';
import { openPostgresReader, readEpisodes } from '../../../src/sink/postgres/reader.ts';
import { exportEvents, queryEvents, toCsv } from '../../../src/sink/query.ts';
import type { StreamDescription } from '../../../src/core/records.ts';
import { stored } from '../../contract/event-sink.contract.ts';
import { rowsOf, runSql, temporaryDatabase } from '../../support/names.ts';
import { actionEvent, clipStats, streamStatus } from '../../support/records.ts';

const never = new AbortController().signal;

async function names(url: string, table: string): Promise<readonly unknown[]> {
  const sql = `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'actionstream.${table}'::regclass ORDER BY 1`;
  return (await rowsOf(url, sql)).map((row) => row['name']);
}

test('psql reads the history that was written', async () => {
  const url = await temporaryDatabase();
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(never);
  await sink.write(
    stored([actionEvent(), actionEvent({ state: 'ended' }), clipStats(), streamStatus()]),
    never,
  );

  const sql = 'SELECT label, duration_ms, is_open, saved_percent FROM actionstream.action_history';
  const result = spawnSync('psql', [url, '-AtXc', sql], { encoding: 'utf8' });

  expect(
    result.error,
    'psql is needed to read as a foreign client: apt-get install postgresql-client',
  ).toBeUndefined();
  expect(result.stdout.trim()).toBe('lifting_brick|6400|f|87.5');
});

test('a row gives back exactly the event that made it', async () => {
  const url = await temporaryDatabase();
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(never);
  const records = [
    actionEvent({ episode: 1 }),
    actionEvent({ episode: 2, state: 'updated', duration_ms: 1234.5 }),
    actionEvent({ episode: 3, state: 'ended', label: 'naïve „ß“ 🧱' }),
    actionEvent({ episode: 4, stream: { name: 'Dör, "3"', tags: ['a', 'b'] } }),
    actionEvent({ episode: 5, stream: { site: 'Kiel', location: '{54.3,10.1}' } }),
    actionEvent({ episode: 6, region: { x: 0, y: 0.125, width: 0.5, height: 0.25 }, zones: ['door, left'] }),
  ];
  await sink.write(stored(records), never);

  await using reader = await openPostgresReader({ url });
  const events = await readEpisodes(reader, { sql: 'ORDER BY started_at', values: [] });

  expect(events).toEqual(records.map(({ payload }) => payload));
});

test('the row of a stream holds what its last status says of it', async () => {
  const url = await temporaryDatabase();
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(never);
  const described = (n: number, stream?: StreamDescription) =>
    streamStatus({ n, state: n % 2 ? 'up' : 'down', ...(stream && { stream }) });
  const row = async (): Promise<unknown> =>
    (await rowsOf(url, 'SELECT state, name, site, tags, location FROM actionstream.streams'))[0];

  await sink.write(
    stored([described(1, { name: 'Dock 3', site: 'Kiel', tags: ['dock', 'night'], location: 'north' })]),
    never,
  );
  const kept = { state: 'up', name: 'Dock 3', site: 'Kiel', tags: ['dock', 'night'], location: 'north' };
  expect(await row()).toEqual(kept);
  await sink.write(stored([described(2, { site: 'Bremen' })]), never);
  expect(await row()).toEqual({ state: 'down', name: null, site: 'Bremen', tags: null, location: null });
  await sink.write(stored([described(0, { site: 'Late' })]), never);
  expect(await row()).toMatchObject({ site: 'Bremen' });
});

test('a repeated state has no row, and keeps the state of its stream from expiring', async () => {
  const url = await temporaryDatabase();
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(never);
  const inSeconds = (seconds: number): string => new Date(Date.now() + 1000 * seconds).toISOString();
  const up = (n: number, seconds: number) => {
    const { payload } = streamStatus({ valid_until: inSeconds(seconds) });
    const repeat = { ...payload, status_id: `${payload.status_id}:${n}`, repeats: payload.status_id };
    return { type: 'stream.status', payload: n === 0 ? payload : repeat } as const;
  };
  const state = async (): Promise<unknown> =>
    (await rowsOf(url, 'SELECT state FROM actionstream.stream_states'))[0]?.['state'];

  await sink.write(stored([up(0, -60), up(1, -30)]), never);
  expect(await state()).toBe('unknown');
  await sink.write(stored([up(2, 60)]), never);
  expect(await state()).toBe('up');
  await sink.write(stored([up(1, -30)]), never);
  expect(await state()).toBe('up');
  await sink.write(stored([streamStatus({ n: 9, state: 'ended' })]), never);
  await sink.write(stored([up(2, 60)]), never);
  expect(await state()).toBe('ended');
  expect(await rowsOf(url, 'SELECT state FROM actionstream.stream_status ORDER BY at')).toEqual([
    { state: 'up' },
    { state: 'ended' },
  ]);
});

test('a late or repeated event never replaces a newer one', async () => {
  const url = await temporaryDatabase();
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(never);
  const [started, updated, ended] = (['started', 'updated', 'ended'] as const).map((state) =>
    actionEvent({ state }),
  );
  for (const batch of [[started!, ended!, updated!], [updated!], [started!]])
    await sink.write(stored(batch), never);

  const rows = await rowsOf(url, 'SELECT state, sequence FROM actionstream.action_events');
  expect(rows).toEqual([{ state: 'ended', sequence: 2 }]);
});

test('two instances make the same partitions at once, for any year', async () => {
  const url = await temporaryDatabase();
  await migrate({ url });
  const times = [
    '1970-01-01T00:00:00.640Z',
    '1970-02-28T23:59:59.999Z',
    '2026-11-22T10:00:00.000Z',
    '9999-12-31T00:00:00.000Z',
  ];
  const sinks = [createPostgresSink({ url }), createPostgresSink({ url })];
  const write = (sink: (typeof sinks)[number], place: number): Promise<void> =>
    sink.write(
      stored(
        times.flatMap((time, episode) => [
          actionEvent({ episode, stream_id: `cam-${place}`, started_at: time }),
          clipStats({ clip_seq: episode, stream_id: `cam-${place}`, clip_start: time }),
        ]),
      ),
      never,
    );

  await Promise.all(sinks.map(write));
  for (const sink of sinks) await sink[Symbol.asyncDispose]();

  expect(await names(url, 'action_events')).toEqual([
    'actionstream.action_events_1970_01',
    'actionstream.action_events_1970_02',
    'actionstream.action_events_2026_11',
    'actionstream.action_events_9999_12',
  ]);
  expect(await names(url, 'clip_stats')).toHaveLength(4);
  expect(await rowsOf(url, 'SELECT count(*)::int AS n FROM actionstream.clip_stats')).toEqual([{ n: 8 }]);
});

test('retention drops whole partitions, and the sink makes new ones where it has to', async () => {
  const url = await temporaryDatabase();
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(never);
  const old = clipStats({ clip_start: '2020-05-17T12:00:00.000Z' });
  await sink.write(stored([old, clipStats()]), never);
  const pruned = await pruneDatabase({ url }, { clipStatsBefore: new Date('2020-05-18T00:00:00Z') });

  expect(pruned).toEqual({ dropped: ['clip_stats_2020_05_17'], deleted: {} });
  await expect(sink.write(stored([old]), never)).rejects.toMatchObject({ retryable: true });
  await sink.write(stored([old]), never);
  expect(await names(url, 'clip_stats')).toHaveLength(2);
});

test('an older schema is refused with the remedy, a newer one always, and migrating twice changes nothing', async () => {
  const url = await temporaryDatabase();
  await using strict = createPostgresSink({ url });
  await expect(strict.open(never)).rejects.toMatchObject({
    code: 'SCHEMA_OUTDATED',
    message: expect.stringContaining('actionstream migrate') as string,
  });

  const applied = await Promise.all([migrate({ url }), migrate({ url })]);
  expect(applied.flat()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  await strict.open(never);

  await runSql(url, `INSERT INTO actionstream.schema_migrations (version, name) VALUES (99, 'future')`);
  await using newer = createPostgresSink({ url, autoMigrate: true });
  await expect(newer.open(never)).rejects.toMatchObject({ code: 'SCHEMA_OUTDATED' });
});

test('a connection cut by the server is replaced, and errors hold no password', async () => {
  const url = await temporaryDatabase();
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(never);
  await sink.write(stored([actionEvent()]), never);
  await runSql(
    inject('postgresUrl'),
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${new URL(url).pathname.slice(1)}'`,
  );
  await sink.write(stored([actionEvent({ episode: 1 })]), never).catch(() => undefined);
  await sink.write(stored([actionEvent({ episode: 2 })]), never);
  expect(await rowsOf(url, 'SELECT count(*)::int > 1 AS more FROM actionstream.action_events')).toEqual([
    { more: true },
  ]);

  const wrong = new URL(url);
  wrong.password = 'Geheim-42';
  wrong.pathname = '/no_such_database';
  await using lost = createPostgresSink({ url: wrong.href });
  const error: unknown = await lost.open(never).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'POSTGRES_REFUSED' });
  expect(JSON.stringify([String(error), error])).not.toContain('Geheim-42');
});

test('queries filter, pages neither repeat nor skip, and the export is complete', async () => {
  const url = await temporaryDatabase();
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(never);
  const records = Array.from({ length: 25 }, (_, episode) =>
    actionEvent({
      episode,
      stream_id: `cam-${episode % 2}`,
      state: episode % 5 === 0 ? 'started' : 'ended',
      label: episode === 7 ? '=evil,"quoted"' : 'walking',
      // Equal times: the cursor must tell episodes apart.
      started_at: '2026-11-22T10:00:00.000Z',
    }),
  );
  await sink.write(stored(records), never);
  await using reader = await openPostgresReader({ url });

  const ids: string[] = [];
  for await (const event of exportEvents(reader, {}, 4)) ids.push(event.episode_id);
  expect(new Set(ids)).toEqual(new Set(records.map(({ payload }) => payload.episode_id)));
  expect(ids).toHaveLength(25);

  const filter = { streams: ['cam-1'], labels: ['walking'], minDurationMs: 1, since: new Date('2026-11-22') };
  const { events, cursor } = await queryEvents(reader, filter, { limit: 100 });
  const wanted = records.filter((_, episode) => episode % 2 === 1 && episode % 5 !== 0 && episode !== 7);
  expect(events).toHaveLength(wanted.length);
  expect(cursor).toBeUndefined();
  expect((await queryEvents(reader, { until: new Date('2026-11-22') }, { limit: 1 })).events).toEqual([]);
  await expect(queryEvents(reader, {}, { limit: 1, cursor: 'nonsense' })).rejects.toMatchObject({
    code: 'USAGE',
  });

  const lines: string[] = [];
  for await (const line of toCsv(exportEvents(reader, { labels: ['=evil,"quoted"'] }))) lines.push(line);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain(`"'=evil,""quoted"""`);
});
