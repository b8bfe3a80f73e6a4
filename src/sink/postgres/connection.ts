import { Socket } from 'node:net';
import pg from 'pg';
import { ActionstreamError } from '../../core/errors.ts';
import { given, parsePostgresUrl, type PostgresConnection } from './address.ts';
import { tlsOf } from './tls.ts';

export type { PostgresConnection } from './address.ts';

export type PostgresClient = pg.PoolClient;

export interface TransactionOptions {
  /** `read` also works on a standby. Default `write`. */
  readonly access?: 'read' | 'write';
  /** Every statement sees the rows as they were at the first one. Default: each sees what is committed. */
  readonly isSnapshot?: boolean;
  /** Longest wait for a lock. Default: as long as the statement may take. */
  readonly lockTimeoutMs?: number;
  /** Gives the connection up at once: the server rolls back what was not committed. */
  readonly signal?: AbortSignal;
}

export interface PostgresTransaction {
  readonly client: PostgresClient;
  commit(): Promise<void>;
  /** Closes the connection: the server rolls back. Does nothing after `commit`. */
  abandon(): void;
}

/** A server's database, connected on demand; a broken connection is replaced at the next use. */
export interface PostgresDatabase {
  /**
   * Everything happens in transactions of this kind. They leave nothing behind on a
   * connection that a pooler hands on, and set what results depend on, so that no
   * setting of the role, the database or the server changes what is written and read.
   */
  transaction<T>(work: (client: PostgresClient) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** The same for work that is not one function; whoever begins it commits or abandons it. */
  begin(options?: TransactionOptions): Promise<PostgresTransaction>;
  /** What of the server's certificate is checked; `plain`: the connection is not encrypted. */
  readonly security: 'plain' | 'nothing' | 'authority' | 'host';
  end(): Promise<void>;
}

/** A server that takes no writes: a standby, or one that has just become one. */
export class ReadOnlyServer extends Error {}

/** How long open connections may take to close in good order. */
const CLOSE_MS = 500;

/** Builds without I/O, apart from certificates that the URL names. @throws CONFIG_INVALID */
export function createDatabase(
  connection: PostgresConnection,
  { max }: { readonly max: number },
): PostgresDatabase {
  return new PooledDatabase(connection, max);
}

class PooledDatabase implements PostgresDatabase {
  readonly security: PostgresDatabase['security'];
  readonly #statementTimeoutMs: number;
  readonly #mayFallBack: boolean;
  readonly #sockets = new Set<Socket>();
  readonly #pool: pg.Pool;

  constructor(connection: PostgresConnection, max: number) {
    const { parameters, user, host, port, database, ...address } = parsePostgresUrl(connection.url);
    const { ssl, mayFallBack, checks } = tlsOf(connection.tls, parameters, host);
    const { statementTimeoutMs = 30_000 } = connection;
    this.security = ssl === false ? 'plain' : checks;
    this.#statementTimeoutMs = statementTimeoutMs;
    this.#mayFallBack = mayFallBack;
    this.#pool = new pg.Pool({
      ...given({ user, host, port, database, password: connection.password ?? address.password }),
      max,
      application_name: connection.applicationName ?? parameters['application_name'] ?? 'actionstream',
      // The server may be frozen or unplugged: then its own timeout never fires.
      ...(statementTimeoutMs > 0 && { query_timeout: statementTimeoutMs + 5000 }),
      connectionTimeoutMillis:
        connection.connectTimeoutMs ?? secondsOf(parameters['connect_timeout']) ?? 10_000,
      keepAlive: true,
      types: { getTypeParser },
      ssl,
      stream: () => tracked(this.#sockets),
    });
    // An idle connection that the server closed: the pool drops it, and the next query says what is wrong.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => {
      client.on('error', () => undefined);
    });
  }

  async begin(options: TransactionOptions = {}): Promise<PostgresTransaction> {
    const { access = 'write', isSnapshot = false, lockTimeoutMs = 0, signal } = options;
    signal?.throwIfAborted();
    const client = await abortable(this.#connect(), signal);
    let isOver = false;
    const release = (isBroken: boolean): void => {
      if (isOver) return;
      isOver = true;
      signal?.removeEventListener('abort', abandon);
      client.release(isBroken);
    };
    const abandon = (): void => {
      release(true);
    };
    signal?.addEventListener('abort', abandon, { once: true });
    try {
      const statementTimeoutMs = this.#statementTimeoutMs;
      await begin(client, { access, isSnapshot, statementTimeoutMs, lockTimeoutMs });
    } catch (error) {
      abandon();
      throw error;
    }
    return {
      client,
      async commit() {
        await client.query('COMMIT');
        release(false);
      },
      abandon,
    };
  }

  async transaction<T>(
    work: (client: PostgresClient) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T> {
    const transaction = await this.begin(options);
    try {
      const result = await work(transaction.client);
      await transaction.commit();
      return result;
    } finally {
      // Also after a failed COMMIT, where nobody knows what happened: whoever
      // writes repeats, and repeats are harmless.
      transaction.abandon();
    }
  }

  async end(): Promise<void> {
    if (this.#pool.ending) return;
    const closing = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, CLOSE_MS);
    await this.#pool.end();
    clearTimeout(closing);
  }

  async #connect(): Promise<PostgresClient> {
    const { options } = this.#pool;
    try {
      return await this.#pool.connect();
    } catch (error) {
      if (!this.#mayFallBack || options.ssl === false || !speaksNoTls(error)) throw error;
      options.ssl = false;
      return this.#pool.connect();
    }
  }
}

function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return 1000 * Number(text);
  throw new ActionstreamError(
    'CONFIG_INVALID',
    'connect_timeout in the Postgres URL is no whole number of seconds',
  );
}

/** One that came too late is closed. */
async function abortable(
  connecting: Promise<PostgresClient>,
  signal: AbortSignal | undefined,
): Promise<PostgresClient> {
  if (!signal) return connecting;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(new DOMException('interrupted', 'AbortError'));
      connecting.then(
        (client) => {
          client.release(true);
        },
        () => undefined,
      );
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([connecting, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}

/**
 * One round trip. `SET LOCAL` ends with the transaction. What is set decides
 * how text becomes values and back (formats, zone, digits, encoding), which
 * objects unqualified names mean, and whether COMMIT waits for the disk.
 */
async function begin(
  client: PostgresClient,
  {
    access,
    isSnapshot,
    statementTimeoutMs,
    lockTimeoutMs,
  }: Required<Omit<TransactionOptions, 'signal'>> & { readonly statementTimeoutMs: number },
): Promise<void> {
  const isolation = isSnapshot ? 'REPEATABLE READ' : 'READ COMMITTED';
  for (let tries = 1; ; tries++) {
    try {
      await client.query(`BEGIN ISOLATION LEVEL ${isolation}, READ ${access === 'read' ? 'ONLY' : 'WRITE'};
        SET LOCAL statement_timeout = ${statementTimeoutMs}; SET LOCAL lock_timeout = ${lockTimeoutMs};
        SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL client_encoding = 'UTF8';
        SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL TimeZone = 'UTC'; SET LOCAL extra_float_digits = 1;
        SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`);
      return;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      if (access === 'write' && error.code === '0A000')
        throw new ReadOnlyServer(error.message, { cause: error });
      if (error.code !== QUERY_CANCELED || tries === BEGIN_TRIES) throw error;
      await client.query('ROLLBACK');
    }
  }
}

/** A role's own `statement_timeout` holds until ours is set, and may be as short as that takes. */
const QUERY_CANCELED = '57014';
const BEGIN_TRIES = 5;

function tracked(sockets: Set<Socket>): Socket {
  const socket = new Socket();
  sockets.add(socket);
  socket.once('close', () => {
    sockets.delete(socket);
  });
  return socket;
}

function speaksNoTls(error: unknown): boolean {
  return error instanceof Error && error.message.includes('does not support SSL');
}

/** bigint columns hold counts far below 2^53. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === (pg.types.builtins.INT8 as number)) return Number;
  const parserOf = pg.types.getTypeParser as ParserLookup;
  return parserOf(oid, format);
}

// The driver's own type takes only the ids that it knows by name; it answers for every other one too.
type ParserLookup = (oid: number, format?: 'text' | 'binary') => (value: string) => unknown;
