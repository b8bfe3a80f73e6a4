import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import { redact } from '../../core/redact.ts';

export interface PostgresConnection {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  readonly tls?:
    | boolean
    | Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized'>;
  /** Shown in pg_stat_activity. Default `actionstream`. */
  readonly applicationName?: string;
  /** Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Default 30 s. */
  readonly statementTimeoutMs?: number;
}

export type PostgresPool = pg.Pool;
export type PostgresClient = pg.PoolClient;

/** A pool that connects on demand; a broken connection is replaced at the next use. */
export function createPool(connection: PostgresConnection, { max }: { readonly max: number }): PostgresPool {
  const { url, tls, applicationName = 'actionstream' } = connection;
  const { connectTimeoutMs = 10_000, statementTimeoutMs = 30_000 } = connection;
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    // The server may be frozen or unplugged: then its own timeout never fires.
    query_timeout: statementTimeoutMs + 5000,
    keepAlive: true,
    types: { getTypeParser },
    ...(tls === undefined ? {} : { ssl: tls }),
  });
  // An idle connection that the server closed: the pool drops it, and the next query says what is wrong.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
  });
  return pool;
}

/** bigint columns hold counts far below 2^53. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === (pg.types.builtins.INT8 as number)) return Number;
  const parserOf = pg.types.getTypeParser as ParserLookup;
  return parserOf(oid, format);
}

// The driver's own type takes only the ids that it knows by name; it answers for every other one too.
type ParserLookup = (oid: number, format?: 'text' | 'binary') => (value: string) => unknown;

/** What the server or the driver said, by what it means to us: one line with remedy, without credentials. */
export function toPostgresError(error: unknown, connection: PostgresConnection): ActionstreamError {
  if (error instanceof ActionstreamError) return error;
  const where = `Postgres at ${placeOf(connection.url)}`;
  const code = sqlStateOf(error);
  const text = redact(messageOf(error)) || 'connection refused';
  const refuse = (remedy: string): ActionstreamError =>
    new ActionstreamError('POSTGRES_REFUSED', `${where}: ${text}; ${remedy}`, { cause: error });
  if (code.startsWith('28')) return refuse('check user name and password in postgres.url, and pg_hba.conf');
  if (code === '3D000') return refuse('create the database, or name another one in postgres.url');
  if (code === '42501')
    return refuse('grant this user CREATE on the database and rights on schema actionstream');
  if (code === '42P01' || code === '3F000') return refuse('run `actionstream migrate`');
  if (/SSL|certificate|self-signed|unable to verify/i.test(text)) {
    return refuse('check postgres.tls: the authority (ca), the host name, and whether the server speaks TLS');
  }
  if (code !== '' && !isTransient(code))
    return refuse('the statement and the schema do not fit: report this');
  return new ActionstreamError(
    'POSTGRES_UNREACHABLE',
    `${where}: ${text}; check postgres.url, the network and that the server runs`,
    { cause: error },
  );
}

/** SQLSTATE of a server's answer; empty where the error came from the network or the driver. */
export function sqlStateOf(error: unknown): string {
  if (!(error instanceof pg.DatabaseError)) return '';
  return error.code ?? '';
}

/** Connection, resources, operator, system, lock, serialisation and a partition that has just been dropped. */
function isTransient(code: string): boolean {
  return /^(08|25P0[23]|40|53|55P03|57|58|XX|23514)/.test(code);
}

function placeOf(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return `${host}${pathname}`;
  } catch {
    return 'an invalid postgres.url';
  }
}
