import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { migrate } from '../../../src/sink/postgres/migrate.ts';
import { createPostgresSink } from '../../../src/sink/postgres/postgres-sink.ts';
import { openPostgresReader, readEpisodes } from '../../../src/sink/postgres/reader.ts';
import { pruneDatabase } from '../../../src/sink/postgres/prune.ts';
import { startLocalPostgres, type LocalPostgres } from '../../../tools/local/postgres.ts';
import { stored } from '../../contract/event-sink.contract.ts';
import { heldSession, rowsOf, runSql } from '../../support/names.ts';
import { actionEvent, clipStats, streamStatus } from '../../support/records.ts';

const never = new AbortController().signal;

let server: LocalPostgres;
beforeAll(async () => {
  server = await startLocalPostgres({
    access: ['host all locked all scram-sha-256', 'host all all all trust'],
    settings: { max_connections: '12', superuser_reserved_connections: '2' },
  });
});
afterAll(() => server.stop());

const as = (user: string, database = 'postgres'): { url: string } => {
  const url = new URL(server.url);
  [url.username, url.pathname] = [user, database];
  return { url: url.href };
};

describe('with the three roles of docs/operations.md', () => {
  beforeAll(async () => {
    const [roles = '', grants = ''] = sqlBlocksOf('docs/operations.md');
    await runSql(
      server.url,
      roles.replaceAll('actionstream;', 'postgres;').replace('DATABASE actionstream', 'DATABASE postgres'),
    );
    expect(await migrate(as('actionstream_owner'))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    await runSql(as('actionstream_owner').url, grants);
  });

  test('the writer writes whatever time records have, and the reader reads', async () => {
    const records = [
      actionEvent({ episode: 0 }),
      actionEvent({ episode: 1, started_at: '1970-01-01T00:00:01.000Z' }),
      actionEvent({ episode: 2, started_at: '2031-05-05T00:00:00.000Z', label: 'refused \0' }),
      clipStats({ clip_start: '2031-05-05T00:00:00.000Z' }),
      streamStatus(),
      streamStatus({
        n: 1,
        state: 'gap',
        gap: { from: '2026-11-22T10:00:00.000Z', to: '2026-11-22T10:00:03.000Z' },
      }),
    ];
    // Configurations say auto_migrate by default: a schema that is current needs no right to change it.
    await using sink = createPostgresSink({ ...as('actionstream_writer'), autoMigrate: true });
    await sink.open(never);
    await sink.write(stored(records), never);
    await sink.write(stored([actionEvent({ episode: 0, state: 'ended' })]), never);

    await using reader = await openPostgresReader(as('actionstream_reader'));
    const events = await readEpisodes(reader, { sql: 'ORDER BY started_at', values: [] });
    expect(events.map(({ state }) => state)).toEqual(['started', 'ended']);
    const counts = `SELECT (SELECT count(*)::int FROM actionstream.clip_stats) AS clips,
      (SELECT count(*)::int FROM actionstream.stream_gaps) AS gaps,
      (SELECT count(*)::int FROM actionstream.dead_letters) AS letters,
      (SELECT count(*)::int FROM actionstream.action_history) AS history`;
    expect(await rowsOf(as('actionstream_reader').url, counts)).toEqual([
      { clips: 1, gaps: 1, letters: 1, history: 2 },
    ]);
  });

  test('neither of them may change the schema or delete, and the owner prunes', async () => {
    const before = new Date('2026-11-23T00:00:00Z');
    for (const role of ['actionstream_writer', 'actionstream_reader']) {
      for (const sql of ['DROP TABLE actionstream.clip_stats', 'DELETE FROM actionstream.action_events']) {
        await expect(runSql(as(role).url, sql)).rejects.toThrow(/must be owner|permission denied/);
      }
      await expect(pruneDatabase(as(role), { deadLettersBefore: before })).rejects.toMatchObject({
        code: 'POSTGRES_REFUSED',
        message: expect.stringContaining('as the role that owns schema actionstream') as string,
      });
    }
    expect(await pruneDatabase(as('actionstream_owner'), { deadLettersBefore: before })).toEqual({
      dropped: [],
      deleted: { dead_letters: 0 },
    });
  });

  test.each([
    ['REVOKE USAGE ON SCHEMA actionstream FROM actionstream_writer', 'GRANT USAGE ON SCHEMA actionstream'],
    [
      'REVOKE INSERT ON actionstream.clip_stats FROM actionstream_writer',
      'UPDATE ON actionstream.clip_stats',
    ],
    [
      'REVOKE SELECT ON actionstream.schema_migrations FROM actionstream_writer',
      'actionstream.schema_migrations',
    ],
    [
      'REVOKE EXECUTE ON FUNCTION actionstream.ensure_partition FROM actionstream_writer',
      'GRANT EXECUTE ON FUNCTION actionstream.ensure_partition TO "actionstream_writer"',
    ],
  ])('%s: the error names the missing grant', async (revoke, wanted) => {
    await runSql(server.url, revoke);
    try {
      await using sink = createPostgresSink(as('actionstream_writer'));
      const writing = sink.write(stored([clipStats({ clip_start: '2032-01-01T00:00:00.000Z' })]), never);
      await expect(writing).rejects.toMatchObject({
        code: 'POSTGRES_REFUSED',
        message: expect.stringContaining(wanted) as string,
      });
    } finally {
      await runSql(server.url, sqlBlocksOf('docs/operations.md')[1] ?? '');
    }
  });
});

describe('what an operator has to put right is said with its remedy', () => {
  test.each([
    ['another database', () => as('postgres', 'nowhere'), 'create the database, or name another one'],
    ['a role that is not there', () => as('nobody'), 'check user name and password'],
    [
      'a database that it may not create a schema in',
      () => as('stranger'),
      'GRANT CREATE ON DATABASE postgres TO "stranger"',
    ],
  ])('%s', async (_, connection, wanted) => {
    await runSql(server.url, 'DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN');
    await runSql(server.url, 'DROP SCHEMA IF EXISTS actionstream CASCADE');

    await expect(migrate(connection())).rejects.toMatchObject({
      ...{ code: 'POSTGRES_REFUSED', retryable: false },
      message: expect.stringContaining(wanted) as string,
    });
  });

  test('too many connections may pass, and are named as such', async () => {
    await runSql(
      server.url,
      'DROP ROLE IF EXISTS crowd; CREATE ROLE crowd LOGIN CONNECTION LIMIT 1; GRANT CREATE ON DATABASE postgres TO crowd',
    );
    onTestFinished(await heldSession(as('crowd').url, 'SELECT 1'));

    await expect(migrate(as('crowd'))).rejects.toMatchObject({
      ...{ code: 'POSTGRES_UNREACHABLE', retryable: true },
      message: expect.stringContaining('raise max_connections') as string,
    });
  });
});

/** The SQL of a document, one text a code block. */
function sqlBlocksOf(file: string): readonly string[] {
  return [...readFileSync(file, 'utf8').matchAll(/```sql\n(.*?)```/gs)].map(([, sql = '']) => sql);
}
