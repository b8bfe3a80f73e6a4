import pg from 'pg';
import { ActionstreamError, messageOf, type ErrorCode, systemCodeOf } from '../../core/errors.ts';
import { redact } from '../../core/redact.ts';
import { parsePostgresUrl, type PostgresConnection } from './address.ts';
import { ReadOnlyServer } from './connection.ts';

/**
 * What the server or the driver said, by what it means to us: one line with
 * cause and remedy, without credentials.
 * @param missingRight the remedy where the role lacks a right, if the statement
 *   asks for one that no writer has
 */
export function toPostgresError(
  error: unknown,
  connection: PostgresConnection,
  missingRight?: string,
): ActionstreamError {
  if (error instanceof ActionstreamError) return error;
  const { display, user } = parsePostgresUrl(connection.url);
  const text = redact(messageOf(error)) || 'connection refused';
  const isRightMissing = missingRight !== undefined && sqlStateOf(error) === '42501';
  const [code, remedy] = isRightMissing ? refused(missingRight) : meaningOf(error, text, user);
  return new ActionstreamError(code, `Postgres at ${display}: ${text}; ${remedy}`, { cause: error });
}

/** SQLSTATE of a server's answer; empty where the error came from the network or the driver. */
export function sqlStateOf(error: unknown): string {
  if (!(error instanceof pg.DatabaseError)) return '';
  return error.code ?? '';
}

/** The schema, or a part of it, is not there. */
export function isSchemaGone(error: unknown): boolean {
  return /^(42P01|3F000|42883)$/.test(sqlStateOf(error));
}

type Meaning = readonly [code: ErrorCode, remedy: string];

function meaningOf(error: unknown, text: string, user: string | undefined): Meaning {
  if (error instanceof ReadOnlyServer) return waits(STANDBY);
  const state = sqlStateOf(error);
  if (state === '42501') return refused(missingGrant(text, user));
  if (text.includes('no encryption')) return refused('encrypt: set postgres.tls, or sslmode in the URL');
  const exact = BY_STATE[state] ?? BY_STATE[state.slice(0, 2)];
  if (exact) return exact;
  if (state !== '') return refused('the statement and the schema do not fit: report this');
  return tlsMeaning(error, text) ?? waits('check postgres.url, the network and that the server runs');
}

const STANDBY =
  'this server takes no writes: it is a standby, or read-only; postgres.url must lead to the primary';

const INCOMPLETE =
  'a part of schema actionstream is missing: run `actionstream migrate`, or restore it from a backup';

/** By SQLSTATE, else by its class. What may pass is tried again; what an operator must change is refused. */
const BY_STATE: Readonly<Record<string, Meaning>> = {
  '28': refused('check user name and password in postgres.url, and pg_hba.conf'),
  '3D000': refused('create the database, or name another one in postgres.url'),
  '42P01': refused(INCOMPLETE),
  '3F000': refused(INCOMPLETE),
  '42883': refused(INCOMPLETE),
  '25006': waits(STANDBY),
  '25P02': waits('the transaction is repeated'),
  '25P03': waits('the server ended a transaction that was idle: look for a very slow machine'),
  '08': waits('check the network, and the pooler between here and the server'),
  '08P01': waits(
    'if a pooler refuses a parameter, unset PGOPTIONS and leave such parameters out of postgres.url',
  ),
  '40': waits('another transaction was in the way'),
  '53': waits('the server lacks disk or memory'),
  '53300': waits('the server has no connection left: end others, raise max_connections, or use a pooler'),
  '55P03': waits('another transaction holds the lock: look for long ones in pg_stat_activity'),
  '57': waits('the server starts, stops or fails over'),
  '57014': waits('raise postgres.statement_timeout, or look for what slows the server down'),
  '58': waits('look into the log of the server'),
  XX: waits('look into the log of the server'),
  '23514': waits('a partition was dropped and is made again'),
};

function refused(remedy: string): Meaning {
  return ['POSTGRES_REFUSED', remedy];
}

function waits(remedy: string): Meaning {
  return ['POSTGRES_UNREACHABLE', remedy];
}

/**
 * The grant that the server misses, as SQL where its message names the object.
 * docs/operations.md has all of them.
 */
function missingGrant(text: string, user: string | undefined): string {
  const role = user === undefined ? 'to the user of postgres.url' : `TO "${user}"`;
  const [, kind, name] = /for (schema|table|view|function|database) "?([\w.]+)"?/.exec(text) ?? [];
  const grants: Readonly<Record<string, string>> = {
    schema: `GRANT USAGE ON SCHEMA ${name ?? ''} ${role}`,
    table: `GRANT SELECT, INSERT, UPDATE ON actionstream.${name ?? ''} ${role}`,
    view: `GRANT SELECT ON actionstream.${name ?? ''} ${role}`,
    function: `GRANT EXECUTE ON FUNCTION actionstream.${name ?? ''} ${role}`,
    database: `GRANT CREATE ON DATABASE ${name ?? ''} ${role}, or run \`actionstream migrate\` as a role that may`,
  };
  const grant = grants[kind ?? ''] ?? 'run `migrate` and `prune` as the role that owns schema actionstream';
  return `${grant} (docs/operations.md, "Roles")`;
}

/** What Node's TLS says, each with the setting that answers it. */
function tlsMeaning(error: unknown, text: string): Meaning | undefined {
  const code = systemCodeOf(error);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return refused('connect by a name of the certificate, or set postgres.tls.server_name to one');
  }
  if (/SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code)) {
    return refused('its authority is not known here: set postgres.tls.ca_file, or sslrootcert in the URL');
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return refused('renew the certificate of the server, and check the clocks');
  }
  if (text.includes('does not support SSL')) {
    return refused('turn ssl on in the server, or connect without TLS where the network is trusted');
  }
  if (/^ERR_(SSL|TLS)|^EPROTO/.test(code) || /SSL|certificate/i.test(text)) {
    return refused('check postgres.tls and the certificate of the server');
  }
  return undefined;
}
