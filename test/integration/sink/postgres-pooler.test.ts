import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { migrate } from '../../../src/sink/postgres/migrate.ts';
import { createPostgresSink } from '../../../src/sink/postgres/postgres-sink.ts';
import { openPostgresReader, readEpisodes } from '../../../src/sink/postgres/reader.ts';
import { startLocalPgBouncer, type LocalPgBouncer } from '../../../tools/local/pgbouncer.ts';
import { startLocalPostgres, type LocalPostgres } from '../../../tools/local/postgres.ts';
import { stored } from '../../contract/event-sink.contract.ts';
import { rowsOf, runSql, uniqueDatabase } from '../../support/names.ts';
import { actionEvent, clipStats } from '../../support/records.ts';

const never = new AbortController().signal;

describe.each(['transaction', 'session'] as const)(
  'through PgBouncer in %s mode, with its defaults',
  (mode) => {
    let server: LocalPostgres;
    let pooler: LocalPgBouncer;
    beforeAll(async () => {
      server = await startLocalPostgres();
      pooler = await startLocalPgBouncer(server.url, { mode });
    });
    afterAll(async () => {
      await pooler.stop();
      await server.stop();
    });

    test('programs migrate, write and read at the same time, and leave nothing behind on its connections', async () => {
      expect((await Promise.all([migrate(pooler), migrate(pooler)])).flat()).toEqual([
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
      ]);

      const sinks = [0, 1, 2].map(() => createPostgresSink({ url: pooler.url, autoMigrate: true }));
      for (const [place, sink] of sinks.entries()) {
        await sink.open(never);
        const stream_id = `cam-${place}`;
        const records = [0, 1, 2].flatMap((n) => [
          actionEvent({ stream_id, episode: n }),
          clipStats({ stream_id, clip_seq: n }),
        ]);
        await sink.write(stored(records), never);
      }
      for (const sink of sinks) await sink[Symbol.asyncDispose]();
      await using reader = await openPostgresReader({ url: pooler.url });
      expect(await readEpisodes(reader, { sql: '', values: [] })).toHaveLength(9);
      await reader[Symbol.asyncDispose]();

      // The pooler resets a connection after its client has gone.
      await expect
        .poll(() => rowsOf(server.url, `SELECT 1 FROM pg_locks WHERE locktype = 'advisory'`))
        .toEqual([]);
      // What the next client of the pool finds on each of its two connections.
      const shown = await Promise.all(
        [0, 1].map(() =>
          rowsOf(
            pooler.url,
            `SELECT pg_sleep(0.3), current_setting('statement_timeout') AS timeout,
                  current_setting('search_path') AS path, current_setting('TimeZone') AS zone`,
          ),
        ),
      );
      const [plain] = await rowsOf(server.url, `SELECT current_setting('TimeZone') AS zone`);
      for (const [row] of shown) {
        expect(row).toMatchObject({ timeout: '0', path: '"$user", public', zone: plain?.['zone'] });
      }
    });

    test('a second start does not wait for a lock that the first one left on a connection', async () => {
      await migrate(pooler);
      const busy = rowsOf(pooler.url, 'SELECT pg_sleep(2)');

      expect(await migrate(pooler)).toEqual([]);
      await busy;
    });
  },
);

// Each would change what is written or read, if the program did not say what it needs.
const ROLE_SETTINGS = [
  `DateStyle = 'German'`,
  `TimeZone = 'Asia/Kolkata'`,
  `search_path = 'elsewhere'`,
  `bytea_output = 'escape'`,
  `IntervalStyle = 'sql_standard'`,
  `extra_float_digits = -15`,
  `client_encoding = 'LATIN1'`,
  `default_transaction_read_only = on`,
  `default_transaction_isolation = 'serializable'`,
  `statement_timeout = 1`,
  `lock_timeout = 1`,
  `synchronous_commit = off`,
  `standard_conforming_strings = off`,
];

test.each(ROLE_SETTINGS)('a role with %s writes and reads the same', async (setting) => {
  const { url, drop } = await uniqueDatabase(inject('postgresUrl'));
  onTestFinished(drop);
  const role = `role_${new URL(url).pathname.slice(-12)}`;
  await runSql(
    url,
    `CREATE SCHEMA elsewhere; CREATE ROLE ${role} LOGIN SUPERUSER; ALTER ROLE ${role} SET ${setting}`,
  );
  onTestFinished(() => runSql(inject('postgresUrl'), `DROP ROLE ${role}`));
  onTestFinished(drop);
  const own = new URL(url);
  own.username = role;
  const records = [
    actionEvent({ episode: 1, state: 'ended', label: "naïve „ß“ 🧱 \\ '" }),
    actionEvent({ episode: 2, started_at: '1970-01-01T00:00:00.640Z' }),
    clipStats({ scores: [{ label: '🧱', score: 0.123456789 }] }),
  ];

  await using sink = createPostgresSink({ url: own.href, autoMigrate: true });
  await sink.open(never);
  await sink.write(stored(records), never);
  await using reader = await openPostgresReader({ url: own.href });

  const events = await readEpisodes(reader, { sql: 'ORDER BY started_at DESC', values: [] });
  expect(events).toEqual(records.slice(0, 2).map(({ payload }) => payload));
  const [clip] = await rowsOf(url, 'SELECT clip_start, scores, multiply_adds FROM actionstream.clip_stats');
  expect(clip).toEqual({
    clip_start: new Date('2026-11-22T10:00:00.000Z'),
    scores: [{ label: '🧱', score: 0.123456789 }],
    multiply_adds: 1_234_567_890_123,
  });
});
