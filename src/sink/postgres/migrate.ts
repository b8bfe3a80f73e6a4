import { ActionstreamError } from '../../core/errors.ts';
import {
  createDatabase,
  type PostgresClient,
  type PostgresConnection,
  type PostgresDatabase,
} from './connection.ts';
import { toPostgresError } from './errors.ts';
import { initial } from './migrations/0001-initial.ts';
import { delta } from './migrations/0002-delta.ts';
import { reusedSteps } from './migrations/0003-reused-steps.ts';
import { reusedKeptSteps } from './migrations/0004-reused-kept-steps.ts';
import { runs } from './migrations/0005-runs.ts';
import { prunings } from './migrations/0006-prunings.ts';
import { audit } from './migrations/0007-audit.ts';
import { writerEpoch } from './migrations/0008-writer-epoch.ts';
import { streamDescriptions } from './migrations/0009-stream-descriptions.ts';
import { heartbeat } from './migrations/0010-heartbeat.ts';
import { regions } from './migrations/0011-regions.ts';
import { feedback } from './migrations/0012-feedback.ts';
import type { Migration } from './migrations/migration.ts';

const MIGRATIONS: readonly Migration[] = [
  ...[initial, delta, reusedSteps, reusedKeptSteps, runs, prunings],
  ...[audit, writerEpoch, streamDescriptions, heartbeat, regions, feedback],
];
const LATEST = MIGRATIONS.length;
// Serialises migrations of several instances; any constant that nobody else uses.
const ADVISORY_LOCK = 4_201_134_001;

/** How long a migration waits for those who use the tables, before it says so. */
const LOCK_TIMEOUT_MS = 60_000;

/**
 * Brings the database to this program's schema, in one transaction; a schema
 * that is current needs no rights to change it.
 * @returns the versions applied now. @throws SCHEMA_OUTDATED, POSTGRES_…
 */
export async function migrate(
  connection: PostgresConnection,
  signal?: AbortSignal,
): Promise<readonly number[]> {
  // Building an index takes as long as there are rows.
  const database = createDatabase({ ...connection, statementTimeoutMs: 0 }, { max: 1 });
  const options = { lockTimeoutMs: LOCK_TIMEOUT_MS, ...(signal && { signal }) };
  try {
    const version = await database.transaction(versionOf, { ...options, access: 'read' });
    if (version > LATEST) throw tooNew(version);
    if (version === LATEST) return [];
    return await database.transaction(applyPending, options);
  } catch (error) {
    throw toPostgresError(error, connection);
  } finally {
    await database.end();
  }
}

/** @throws SCHEMA_OUTDATED with the remedy where the schema is not exactly this program's */
export async function checkSchema(database: PostgresDatabase, signal?: AbortSignal): Promise<void> {
  const version = await database.transaction(versionOf, { access: 'read', ...(signal && { signal }) });
  if (version > LATEST) throw tooNew(version);
  if (version < LATEST) {
    throw new ActionstreamError(
      'SCHEMA_OUTDATED',
      `the database schema is at version ${version} and this program needs ${LATEST}; ` +
        'run `actionstream migrate`, or set postgres.auto_migrate',
    );
  }
}

/** The lock is one of the transaction: a pooler may give each transaction another connection. */
async function applyPending(client: PostgresClient): Promise<readonly number[]> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
  await client.query(`
    DO $do$ BEGIN
      IF to_regnamespace('actionstream') IS NULL THEN CREATE SCHEMA actionstream; END IF;
    END $do$;
    CREATE TABLE IF NOT EXISTS actionstream.schema_migrations (
      version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());`);
  const version = await versionOf(client);
  if (version > LATEST) throw tooNew(version);
  const pending = MIGRATIONS.filter((migration) => migration.version > version);
  for (const { version: number, name, sql } of pending) {
    await client.query(sql);
    await client.query('INSERT INTO actionstream.schema_migrations (version, name) VALUES ($1, $2)', [
      number,
      name,
    ]);
  }
  return pending.map((migration) => migration.version);
}

/** 0: there is no schema. */
async function versionOf(client: PostgresClient): Promise<number> {
  const { rows } = await client.query<{ present: boolean }>(
    `SELECT to_regclass('actionstream.schema_migrations') IS NOT NULL AS present`,
  );
  if (!rows[0]?.present) return 0;
  const versions = await client.query<{ version: number | null }>(
    'SELECT max(version) AS version FROM actionstream.schema_migrations',
  );
  return versions.rows[0]?.version ?? 0;
}

function tooNew(version: number): ActionstreamError {
  return new ActionstreamError(
    'SCHEMA_OUTDATED',
    `the database schema is at version ${version} and this program knows ${LATEST}; update actionstream`,
  );
}
