import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { spawnGuarded, tailOf } from './guarded-child.ts';
import { unprivileged } from './postgres.ts';

/** A real PgBouncer of our own in front of a server. */
export interface LocalPgBouncer {
  /** The same user and database, by way of the pooler. */
  readonly url: string;
  stop(): Promise<void>;
}

const PLACES = [
  '/usr/sbin/pgbouncer',
  '/usr/bin/pgbouncer',
  '/usr/local/bin/pgbouncer',
  '/opt/homebrew/bin/pgbouncer',
];

/** Its default settings, apart from the mode and from few server connections, so that clients share them. */
export async function startLocalPgBouncer(
  serverUrl: string,
  { mode }: { readonly mode: 'session' | 'transaction' },
): Promise<LocalPgBouncer> {
  const binary = PLACES.find((place) => existsSync(place));
  if (binary === undefined)
    throw new Error('no pgbouncer here: apt-get install pgbouncer, or npm run pretest');
  const directory = mkdtempSync(join(tmpdir(), 'actionstream-pgbouncer-'));
  const asUser = unprivileged(directory);
  const port = await freePort();
  const server = new URL(serverUrl);
  const config = join(directory, 'pgbouncer.ini');
  const logFile = join(directory, 'log');
  writeFileSync(
    config,
    `[databases]
* = host=${server.hostname} port=${server.port} user=${server.username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = 2
`,
  );
  const child = spawnGuarded([...asUser, binary, config] as unknown as [string, ...string[]], {
    logFile,
    directory,
  });
  for (let tries = 0; !(await accepts(port)); tries += 1) {
    if (tries > 300 || child.exited) throw new Error(`pgbouncer did not start: ${tailOf(logFile)}`);
    await delay(50);
  }
  server.port = String(port);
  return {
    url: server.href,
    async stop() {
      await child.end('SIGINT', 5000);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
