import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, open, readFile, rename, rm, stat, unlink, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { kill, pid } from 'node:process';
import { ActionstreamError } from '../../core/errors.ts';

/** Who holds the directory. `startedAt` tells a process from a later one with the same pid. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly startedAt: string;
  readonly token: string;
}

// A holder on another host cannot be asked whether it lives; it touches the file instead.
const HEARTBEAT_MS = 5000;
const SILENT_MS = 30_000;

/**
 * Takes `<dir>/lock` for this process, over from a dead one where need be.
 * @throws JOURNAL_LOCKED naming the holder
 */
export async function acquireLock(dir: string): Promise<AsyncDisposable> {
  const path = join(dir, 'lock');
  const mine: Holder = { pid, host: hostname(), startedAt: startOf(pid), token: randomUUID() };
  for (let attempt = 0; attempt < 5; attempt++) {
    if (await create(path, mine)) return holding(path, mine);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const holder = parseHolder(text);
    if (await isAlive(holder, path)) throw lockedBy(dir, holder);
    await bury(path, text);
  }
  throw lockedBy(dir, undefined);
}

/** Written aside and linked into place, so that nobody ever reads half of it. */
async function create(path: string, holder: Holder): Promise<boolean> {
  const draft = `${path}.${holder.token}`;
  const file = await open(draft, 'wx');
  await file.writeFile(JSON.stringify(holder));
  await file.close();
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

function holding(path: string, mine: Holder): AsyncDisposable {
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, HEARTBEAT_MS).unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(heartbeat);
      const text = await readFile(path, 'utf8').catch(() => '');
      if (parseHolder(text)?.token === mine.token) await rm(path, { force: true });
    },
  };
}

async function isAlive(holder: Holder | undefined, path: string): Promise<boolean> {
  if (!holder) return false;
  if (holder.host === hostname()) return startOf(holder.pid) === holder.startedAt && pidExists(holder.pid);
  const { mtimeMs } = await stat(path);
  return Date.now() - mtimeMs < SILENT_MS;
}

/** Removes a dead holder's file; puts it back where somebody else was faster and the file is theirs by now. */
async function bury(path: string, expected: string): Promise<void> {
  const grave = `${path}.${randomUUID()}`;
  try {
    await rename(path, grave);
  } catch {
    return;
  }
  if ((await readFile(grave, 'utf8')) !== expected) await link(grave, path).catch(() => undefined);
  await rm(grave, { force: true });
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder>;
    const { pid: id, host, startedAt, token } = value;
    if (typeof id !== 'number' || host === undefined || startedAt === undefined || token === undefined) {
      return undefined;
    }
    return { pid: id, host, startedAt, token };
  } catch {
    return undefined;
  }
}

/** Boot and start time of a process where the system tells (Linux): a container's pid 1 is a new one every time. */
function startOf(id: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const fields = readFileSync(`/proc/${id}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return `${boot}:${fields[19] ?? ''}`;
  } catch {
    return 'unknown';
  }
}

function pidExists(id: number): boolean {
  try {
    kill(id, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function lockedBy(dir: string, holder: Holder | undefined): ActionstreamError {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
  return new ActionstreamError(
    'JOURNAL_LOCKED',
    `journal directory ${dir} is in use by ${who}; stop it, or give this instance its own journal.dir`,
  );
}
