import { ActionstreamError } from '../../core/errors.ts';
import type { TlsSettings } from './tls.ts';

export interface PostgresConnection {
  /** `postgres://user:password@host:port/database?sslmode=…`: `parsePostgresUrl` says what it may hold. */
  readonly url: string;
  /** In place of the URL's. */
  readonly password?: string;
  /** tls.ts says what holds where the URL has an sslmode as well. */
  readonly tls?: TlsSettings;
  /** Shown in pg_stat_activity. Default `actionstream`. */
  readonly applicationName?: string;
  /** Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Default 30 s; 0: none, for work that takes as long as there are rows. */
  readonly statementTimeoutMs?: number;
}

/** A URL's parts, each decoded. */
export interface PostgresAddress {
  readonly user?: string;
  readonly password?: string;
  /** A name, an address, or the folder of a Unix socket. Absent: the client's default. */
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  /** Those that are none of the above. */
  readonly parameters: Readonly<Record<string, string>>;
  /** For people: host, port and database, no credentials. */
  readonly display: string;
}

/**
 * Takes a URL apart. Credentials that are not encoded as URLs demand it, and parameters that are
 * not known, are refused before anything is connected, and no message repeats any part of them.
 * @throws CONFIG_INVALID
 */
export function parsePostgresUrl(url: string): PostgresAddress {
  const { userInfo, authority, path, query } = partsOf(url);
  const parameters = parametersOf(query);
  const place = hostOf(authority);
  const colon = userInfo?.indexOf(':') ?? -1;
  const user = decoded(colon < 0 ? userInfo : userInfo?.slice(0, colon)) ?? parameters['user'];
  const password = colon < 0 ? parameters['password'] : decoded(userInfo?.slice(colon + 1));
  const host = place.host ?? parameters['host'];
  const port = place.port ?? portOf(parameters['port']);
  const database = decoded(path) ?? parameters['dbname'];
  const display = `${host ?? 'localhost'}${port === undefined ? '' : `:${port}`}/${database ?? ''}`;
  return { ...given({ user, password, host, port, database }), parameters, display };
}

const PARAMETERS = [
  ...['host', 'port', 'user', 'password', 'dbname', 'application_name', 'connect_timeout'],
  ...['sslmode', 'sslrootcert', 'sslcert', 'sslkey'],
];

/** Parameters that other programs write, and what says the same here. */
const INSTEAD: Readonly<Record<string, string>> = {
  ssl: 'write sslmode=verify-full or sslmode=require',
  uselibpqcompat: 'leave it out: sslmode means here what it means to psql',
  options: 'leave it out: what the program needs it sets itself, a transaction at a time',
  statement_timeout: 'use the setting statement_timeout',
  target_session_attrs: 'leave it out: the program waits until the server takes writes',
};

const EXAMPLE = 'postgres://user@host:5432/database';
const REMEDY =
  'percent-encode / ? # @ % and spaces in user and password (@ is %40), or give the password as password or password_file';

interface UrlParts {
  readonly userInfo: string | undefined;
  readonly authority: string;
  readonly path: string | undefined;
  readonly query: string;
}

/**
 * Stricter than URL parsers, which take the rest of an unencoded password for a path, a query or a fragment.
 */
function partsOf(url: string): UrlParts {
  const match = /^postgres(?:ql)?:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(#.*)?$/is.exec(url);
  if (!match) throw invalid(`expected a URL such as ${EXAMPLE}`);
  const [, before = '', path = '', query = '', fragment] = match;
  const at = before.lastIndexOf('@');
  const userInfo = at < 0 ? undefined : before.slice(0, at);
  const rest = [userInfo ?? '', path, query].join('');
  if (fragment !== undefined || rest.includes('@') || path.includes('/')) {
    throw invalid(`a character of its user, password or database is not encoded; ${REMEDY}`);
  }
  return { userInfo, authority: before.slice(at + 1), path: path === '' ? undefined : path, query };
}

function hostOf(authority: string): { readonly host?: string; readonly port?: number } {
  if (authority.includes(',')) {
    throw invalid('it names several hosts; name one: a proxy or a DNS name that leads to the primary');
  }
  const match = /^(\[[0-9a-f:.%]+\]|[^:[\]\s]*)(?::(\d*))?$/i.exec(authority);
  if (!match) throw invalid(`it has no valid host and port; expected ${EXAMPLE}; ${REMEDY}`);
  const host = decoded(match[1]?.replace(/^\[|\]$/g, ''));
  return given({ host: host === '' ? undefined : host, port: portOf(match[2]) });
}

function parametersOf(query: string): Readonly<Record<string, string>> {
  const parameters: Record<string, string> = {};
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const equals = pair.indexOf('=');
    const key = equals < 0 ? pair : pair.slice(0, equals);
    if (!PARAMETERS.includes(key)) throw unknownParameter(key);
    if (parameters[key] !== undefined) throw invalid(`it says ${key} twice`);
    parameters[key] = decoded(pair.slice(equals + 1)) ?? '';
  }
  return parameters;
}

/** Only a plain name is repeated: what looks otherwise may be part of a password. */
function unknownParameter(key: string): ActionstreamError {
  const instead = INSTEAD[key];
  if (instead !== undefined) return invalid(`its parameter ${key} is not taken; ${instead}`);
  return invalid(`it has a parameter that is not taken; known: ${PARAMETERS.join(', ')}; ${REMEDY}`);
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`it has a % that starts no escape; ${REMEDY}`);
  }
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw invalid(`it has no valid port; expected ${EXAMPLE}; ${REMEDY}`);
}

/** Without what is undefined. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function invalid(problem: string): ActionstreamError {
  return new ActionstreamError('CONFIG_INVALID', `the Postgres URL cannot be used: ${problem}`);
}
