import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ActionstreamError } from '../../core/errors.ts';

/**
 * The lists meant by a path: itself, or those of a folder.
 * @throws ActionstreamError INPUT_INVALID where it has none, with an example of the name
 */
export async function listFiles(source: string, name: RegExp, example: string): Promise<readonly string[]> {
  const entry = await stat(source).catch(() => undefined);
  if (!entry) throw new ActionstreamError('INPUT_INVALID', `${source}: no such file or folder`);
  const files = entry.isDirectory()
    ? (await readdir(source)).sort().map((file) => path.join(source, file))
    : [source];
  const lists = files.filter((file) => name.test(path.basename(file)));
  if (lists.length > 0) return lists;
  throw new ActionstreamError(
    'INPUT_INVALID',
    `${source}: no list of that format; its name is as ${example}`,
  );
}
