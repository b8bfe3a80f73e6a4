import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { sleep } from '../../core/abort.ts';
import { ActionstreamError, toActionstreamError, systemCodeOf } from '../../core/errors.ts';
import { monotonicMs } from '../../core/time.ts';
import { isDiskFull } from './disk-errors.ts';
import { describeSelf, isProvablyDead, parseHolder, type Holder } from './lock-holder.ts';

/** Proof that this process alone writes the directory. */
export interface DirectoryLock extends AsyncDisposable {
  /** Aborts when the lock or its directory is lost; its reason is the ActionstreamError. */
  readonly lost: AbortSignal;
  /**
   * Before a write: reads the lock again where the last look is too old.
   * @throws the reason of `lost`, or a passing I/O error
   */
  confirm(): Promise<void>;
  /** Reads the lock again now; a loss aborts `lost`. @throws a passing I/O error */
  look(): Promise<void>;
}

/*
 * A holder touches its lock file every HEARTBEAT_MS and reads its token back. It writes nothing after
 * CONFIRM_MS without such a look. Nobody takes the lock over before SILENT_MS without a touch. So a holder
 * that was stopped meanwhile notices the loss before its next write.
 */
const HEARTBEAT_MS = 2000;
const CONFIRM_MS = 6000;
const SILENT_MS = 20_000;
/** Clocks of two hosts may differ: a lock that looks old must also stay untouched this long. */
const WATCH_MS = 6000;

/**
 * Takes `<dir>/lock` for this process. A holder's lock is taken over at once where its process is
 * provably dead (same boot, same process namespace), else only after SILENT_MS without a touch.
 * @throws JOURNAL_LOCKED naming the holder
 */
export async function acquireLock(dir: string): Promise<DirectoryLock> {
  const path = join(dir, 'lock');
  const mine = describeSelf();
  for (let attempt = 0; attempt < 5; attempt++) {
    const outcome = await create(path, mine);
    if (outcome === 'created') return holdLock(dir, path, mine);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) {
      if (outcome !== 'exists') throw outcome;
      continue;
    }
    const holder = parseHolder(text);
    if (await isAlive(path, holder)) throw lockedBy(dir, holder);
    // Burying frees the block that the new lock needs on a full disk.
    await bury(path, text);
  }
  throw lockedBy(dir, undefined);
}

/**
 * Written aside and linked into place, so that nobody reads a part of it. Returns the error of a full disk.
 */
async function create(path: string, holder: Holder): Promise<'created' | 'exists' | Error> {
  const draft = `${path}.${holder.token}`;
  try {
    await writeFile(draft, JSON.stringify(holder), { flag: 'wx' });
    await link(draft, path);
    return 'created';
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return 'exists';
    if (error instanceof Error && isDiskFull(error)) return error;
    throw error;
  } finally {
    // The directory may be gone by now; the first error counts.
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

async function holdLock(dir: string, path: string, mine: Holder): Promise<DirectoryLock> {
  const { ino } = await stat(dir);
  const lost = new AbortController();
  let lookedAtMs = monotonicMs();

  const look = async (): Promise<void> => {
    const text = await readFile(path, 'utf8').catch(async (error: unknown) => {
      if (systemCodeOf(error) !== 'ENOENT') throw error;
      lost.abort(await explainAbsence(dir, ino));
      return '';
    });
    if (lost.signal.aborted) return;
    const holder = parseHolder(text);
    if (holder?.token !== mine.token) {
      lost.abort(lostTo(dir, holder));
      return;
    }
    const now = new Date();
    await utimes(path, now, now);
    lookedAtMs = monotonicMs();
  };
  // A passing error (too many open files) leaves `lookedAtMs` old: writes then wait for the next look.
  const heartbeat = setInterval(() => void look().catch(() => undefined), HEARTBEAT_MS).unref();
  lost.signal.addEventListener('abort', () => {
    clearInterval(heartbeat);
  });

  return {
    lost: lost.signal,
    look,
    async confirm() {
      if (monotonicMs() - lookedAtMs > CONFIRM_MS) await look();
      if (lost.signal.aborted) throw toActionstreamError(lost.signal.reason);
    },
    async [Symbol.asyncDispose]() {
      clearInterval(heartbeat);
      const text = await readFile(path, 'utf8').catch(() => '');
      if (parseHolder(text)?.token === mine.token) await rm(path, { force: true }).catch(() => undefined);
    },
  };
}

async function explainAbsence(dir: string, ino: number): Promise<ActionstreamError> {
  const now = await stat(dir).catch(() => undefined);
  const what = !now ? 'was deleted' : now.ino === ino ? 'lost its lock file' : 'was replaced by another one';
  return new ActionstreamError(
    'JOURNAL_UNWRITABLE',
    `journal directory ${dir} ${what} while in use; records that no sink had taken are gone with it. ` +
      'Keep other programs away from it and start again',
  );
}

async function isAlive(path: string, holder: Holder | undefined): Promise<boolean> {
  if (!holder || isProvablyDead(holder)) return false;
  const touched = await touchedAt(path);
  // A touch from the future comes from a clock that is ahead: it proves nothing either.
  if (Math.abs(Date.now() - touched) < SILENT_MS) return true;
  await sleep(WATCH_MS);
  return (await touchedAt(path)) !== touched;
}

async function touchedAt(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
}

/**
 * Removes a dead holder's file; puts it back where somebody else was faster and the file is theirs by now.
 */
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

function lostTo(dir: string, holder: Holder | undefined): ActionstreamError {
  return new ActionstreamError(
    'JOURNAL_LOCKED',
    `journal directory ${dir} was taken over by ${nameOf(holder)} while this process was silent; it stops writing. ` +
      'Run one instance on a journal',
  );
}

function lockedBy(dir: string, holder: Holder | undefined): ActionstreamError {
  return new ActionstreamError(
    'JOURNAL_LOCKED',
    `journal directory ${dir} is in use by ${nameOf(holder)}; stop it, or give this instance its own journal.dir. ` +
      `A lock whose process cannot be looked up from here is free after ${SILENT_MS / 1000} s of silence`,
  );
}

function nameOf(holder: Holder | undefined): string {
  return holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
}
