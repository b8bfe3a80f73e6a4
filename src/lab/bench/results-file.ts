import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ActionstreamError, messageOf, systemCodeOf } from '../../core/errors.ts';
import type { BenchResults } from './types.ts';

const NAME = 'results.json';

/** What earlier calls left in the folder: a benchmark may be measured part by part. @throws INPUT_INVALID */
export async function readResults(folder: string): Promise<Partial<BenchResults>> {
  const file = path.join(folder, NAME);
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Partial<BenchResults>;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return {};
    throw new ActionstreamError('INPUT_INVALID', `${file}: ${messageOf(error)}; delete it to begin anew`);
  }
}

export async function writeResults(folder: string, results: BenchResults): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, NAME);
  await writeFile(`${file}.new`, `${JSON.stringify(results, null, 1)}\n`);
  await rename(`${file}.new`, file);
  return file;
}
