import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../../../src/sink/postgres/connection.ts';
import { migrate } from '../../../src/sink/postgres/migrate.ts';
import { createPostgresSink } from '../../../src/sink/postgres/postgres-sink.ts';
import { openPostgresReader, readEpisodes } from '../../../src/sink/postgres/reader.ts';
import { startLocalPostgres, type LocalPostgres } from '../../../tools/local/postgres.ts';
import { stored } from '../../contract/event-sink.contract.ts';
import { rowsOf, runSql, temporaryDatabase, uniqueDatabase } from '../../support/names.ts';
import { actionEvent, clipStats } from '../../support/records.ts';

const never = new AbortController().signal;
const event = (episode: number) => stored([actionEvent({ episode })]);

describe('fail-over', () => {
  let server: LocalPostgres;
  beforeAll(async () => {
    server = await startLocalPostgres();
  });
  afterAll(() => server.stop());
  const standbySignal = (): string => path.join(server.data, 'standby.signal');

  test('a primary that comes back as a standby is named as one, read, and written again once promoted', async () => {
    const { url } = server;
    await using sink = createPostgresSink({ url, autoMigrate: true });
    await sink.open(never);
    await sink.write(event(0), never);
    writeFileSync(standbySignal(), '', { mode: 0o666 });
    await server.restart();

    // The first statement may meet the connection that the restart cut.
    await sink.write(event(1), never).catch(() => undefined);
    await expect(sink.write(event(1), never)).rejects.toMatchObject({
      ...{ code: 'POSTGRES_UNREACHABLE', retryable: true },
      message: expect.stringContaining(
        'it is a standby, or read-only; postgres.url must lead to the primary',
      ) as string,
    });
    await using reader = await openPostgresReader({ url });
    expect(await readEpisodes(reader, { sql: '', values: [] })).toHaveLength(1);

    await runSql(url, 'SELECT pg_promote()');
    await sink.write(event(1), never);
    expect(await rowsOf(url, 'SELECT count(*)::int AS n FROM actionstream.action_events')).toEqual([
      { n: 2 },
    ]);
    rmSync(standbySignal(), { force: true });
  });

  test('a database that a migration finds read-only is tried again', async () => {
    const { url, drop } = await uniqueDatabase(server.url);
    onTestFinished(drop);
    writeFileSync(standbySignal(), '', { mode: 0o666 });
    await server.restart();

    await expect(migrate({ url })).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE', retryable: true });

    await runSql(url, 'SELECT pg_promote()');
    expect(await migrate({ url })).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });
});

describe('a schema that is dropped while the sink writes', () => {
  test('is made again where the sink may', async () => {
    const url = await temporaryDatabase();
    await using sink = createPostgresSink({ url, autoMigrate: true });
    await sink.open(never);
    await sink.write(event(0), never);
    await runSql(url, 'DROP SCHEMA actionstream CASCADE');

    await sink.write(stored([actionEvent({ episode: 1 }), clipStats()]), never);

    expect(await rowsOf(url, 'SELECT count(*)::int AS n FROM actionstream.action_events')).toEqual([
      { n: 1 },
    ]);
  });

  test('is reported with the remedy where it may not, and written again once it is there', async () => {
    const url = await temporaryDatabase();
    await migrate({ url });
    await using sink = createPostgresSink({ url });
    await sink.open(never);
    await sink.write(event(0), never);
    await runSql(url, 'DROP SCHEMA actionstream CASCADE');

    await expect(sink.write(event(1), never)).rejects.toMatchObject({
      code: 'SCHEMA_OUTDATED',
      message: expect.stringContaining('run `actionstream migrate`') as string,
    });
    await migrate({ url });
    await sink.write(event(1), never);
  });

  test('of which one table is missing is reported as that', async () => {
    const url = await temporaryDatabase();
    await using sink = createPostgresSink({ url, autoMigrate: true });
    await sink.open(never);
    await runSql(url, 'DROP TABLE actionstream.action_events CASCADE');

    await expect(sink.write(event(1), never)).rejects.toMatchObject({
      code: 'POSTGRES_REFUSED',
      message: expect.stringContaining('restore it from a backup') as string,
    });
  });
});

test('a frozen server does not hold up the end: connections that hang are closed', async () => {
  const server = await startLocalPostgres();
  onTestFinished(() => server.stop());
  const database = createDatabase({ url: server.url }, { max: 2 });
  const stop = new AbortController();
  await database.transaction((client) => client.query('SELECT 1'));
  server.freeze();
  const hanging = [0, 1].map(() =>
    database
      .transaction((client) => client.query('SELECT 1'), { signal: stop.signal })
      .then(
        () => 'done',
        () => 'given up',
      ),
  );

  stop.abort();
  expect(await Promise.all(hanging)).toEqual(['given up', 'given up']);
  // Would wait for the connect timeout of 10 s, and then for the server, for ever.
  await database.end();
  server.thaw();
});
