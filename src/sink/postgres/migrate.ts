import { ActionstreamError } from '../../core/errors.ts';
import {
  createPool,
  toPostgresError,
  type PostgresClient,
  type PostgresConnection,
  type PostgresPool,
} from './connection.ts';
import { initial } from './migrations/0001-initial.ts';
import { delta } from './migrations/0002-delta.ts';
import { reusedSteps } from './migrations/0003-reused-steps.ts';
import { reusedKeptSteps } from './migrations/0004-reused-kept-steps.ts';
import { runs } from './migrations/0005-runs.ts';
import type { Migration } from './migrations/migration.ts';

const MIGRATIONS: readonly Migration[] = [initial, delta, reusedSteps, reusedKeptSteps, runs];
const LATEST = MIGRATIONS.length;
// Serialises migrations of several instances; any constant that nobody else uses.
const ADVISORY_LOCK = 4_201_134_001;

/** Brings the database to this program's schema; @returns the versions applied now. @throws SCHEMA_OUTDATED, POSTGRES_… */
export async function migrate(connection: PostgresConnection): Promise<readonly number[]> {
  const pool = createPool(connection, { max: 1 });
  try {
    return await migratePool(pool);
  } catch (error) {
    throw toPostgresError(error, connection);
  } finally {
    await pool.end();
  }
}

/** @throws SCHEMA_OUTDATED where the database is newer than this program */
export async function migratePool(pool: PostgresPool): Promise<readonly number[]> {
  const client = await pool.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK]);
    return await applyPending(client);
  } finally {
    // Also releases the lock where the connection broke in between.
    client.release(true);
  }
}

/** @throws SCHEMA_OUTDATED with the remedy where the schema is not exactly this program's */
export async function checkSchema(pool: PostgresPool): Promise<void> {
  const { rows } = await pool.query<{ present: boolean }>(
    `SELECT to_regclass('actionstream.schema_migrations') IS NOT NULL AS present`,
  );
  const version = rows[0]?.present ? await versionOf(pool) : 0;
  if (version > LATEST) throw tooNew(version);
  if (version < LATEST) {
    throw new ActionstreamError(
      'SCHEMA_OUTDATED',
      `the database schema is at version ${version} and this program needs ${LATEST}; ` +
        'run `actionstream migrate`, or set postgres.auto_migrate',
    );
  }
}

async function applyPending(client: PostgresClient): Promise<readonly number[]> {
  await client.query(`
    CREATE SCHEMA IF NOT EXISTS actionstream;
    CREATE TABLE IF NOT EXISTS actionstream.schema_migrations (
      version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());`);
  const version = await versionOf(client);
  if (version > LATEST) throw tooNew(version);
  const pending = MIGRATIONS.filter((migration) => migration.version > version);
  for (const migration of pending) {
    await client.query('BEGIN');
    await client.query(migration.sql);
    await client.query('INSERT INTO actionstream.schema_migrations (version, name) VALUES ($1, $2)', [
      migration.version,
      migration.name,
    ]);
    await client.query('COMMIT');
  }
  return pending.map((migration) => migration.version);
}

async function versionOf(client: Pick<PostgresPool, 'query'>): Promise<number> {
  const { rows } = await client.query<{ version: number | null }>(
    'SELECT max(version) AS version FROM actionstream.schema_migrations',
  );
  return rows[0]?.version ?? 0;
}

function tooNew(version: number): ActionstreamError {
  return new ActionstreamError(
    'SCHEMA_OUTDATED',
    `the database schema is at version ${version} and this program knows ${LATEST}; update actionstream`,
  );
}
