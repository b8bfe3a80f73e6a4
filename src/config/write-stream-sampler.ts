import { chmod, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import { editYaml } from './edit-yaml.ts';
import { loadConfig } from './load-config.ts';
import { readYaml } from './read-yaml.ts';
import type { Env } from './substitute-env.ts';

/**
 * Writes options of `sampler` into a stream of a configuration file. Comments and everything else stay as
 * they are. The new file is checked before it takes the place of the old one, at once.
 *
 * @param values by the keys of the file
 * @throws ActionstreamError CONFIG_INVALID: the file cannot be written, or does not hold the stream in a
 * form that can be edited
 */
export async function writeStreamSampler(
  path: string,
  {
    streamId,
    values,
    env,
  }: {
    readonly streamId: string;
    readonly values: Readonly<Record<string, string | number>>;
    readonly env: Env;
  },
): Promise<void> {
  const file = await realpath(path);
  const text = await readFile(file, 'utf8');
  const edited = editYaml(text, ['streams', positionOf(text, { path, streamId, env }), 'sampler'], values);
  if (edited === undefined) {
    const problem = `${path}: the sampler of stream ${streamId} is shared with others or has no place of its own there`;
    throw new ActionstreamError('CONFIG_INVALID', `${problem}; put ${linesOf(values)} into it by hand`);
  }
  const draft = `${file}.${process.pid}.new`;
  try {
    await writeFile(draft, edited, { flag: 'wx' });
    await chmod(draft, (await stat(file)).mode);
    loadConfig(draft, { env });
    await rename(draft, file);
  } catch (error) {
    if (error instanceof ActionstreamError) throw error;
    const problem = `${path}: cannot be written: ${messageOf(error)}; put ${linesOf(values)} into stream ${streamId} by hand`;
    throw new ActionstreamError('CONFIG_INVALID', problem, { cause: error });
  } finally {
    await rm(draft, { force: true });
  }
}

/** As it is written into a stream. */
export function linesOf(values: Readonly<Record<string, string | number>>): string {
  const entries = Object.entries(values).map(([key, value]) => `${key}: ${value}`);
  return `sampler: { ${entries.join(', ')} }`;
}

/** An id may stand there as `${ENV}`. */
function positionOf(
  text: string,
  { path, streamId, env }: { readonly path: string; readonly streamId: string; readonly env: Env },
): number {
  const { value } = readYaml(path, text, env);
  const streams = (value as { readonly streams?: readonly { readonly id?: unknown }[] } | undefined)?.streams;
  return streams?.findIndex(({ id }) => String(id) === streamId) ?? -1;
}
