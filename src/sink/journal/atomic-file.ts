import { systemCodeOf } from '../../core/errors.ts';
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces a file so that a crash leaves the old or the new content, never a
 * mixture; durable when it resolves.
 * @param mode of a new file, less what the umask takes
 */
export async function writeFileAtomic(path: string, content: string, mode = 0o666): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, 'w', mode);
  try {
    await file.writeFile(content);
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await syncDirectory(dirname(path));
}

/** Makes this folder where it is missing, and none above it: a journal that was deleted is not made anew. */
export async function ensureFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
  }
}

/** Makes creations, renames and deletions inside `dir` durable. */
export function syncDirectory(dir: string): Promise<void> {
  return syncFile(dir);
}

/** Makes what was written to a file durable, by whomever. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The file's JSON, or undefined where there is no such file. */
export async function readJsonFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
