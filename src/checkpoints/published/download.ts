import { createHash, type Hash } from 'node:crypto';
import { open, readFile, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import { failed, openBody, type Body } from './open-body.ts';

export interface DownloadOptions {
  readonly url: string;
  /** Where the bytes go; a file that is there is the beginning of an earlier try. */
  readonly path: string;
  /** Beginning of the SHA-256 in hex; without it nothing but the length can be checked. */
  readonly checksum?: string;
  /** A server that sends nothing for so long is given up. */
  readonly stallMs: number;
  /** Bytes so far, and in all where the server says. */
  readonly onProgress: (received: number, total: number | undefined) => void;
  readonly signal: AbortSignal;
}

/** More than any checkpoint of the family; what Node reads in one piece. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * Fetches a file. What an earlier try left is kept and continued where the server can, else fetched
 * anew; a failure leaves what has come for the next try, but for bytes of a wrong checksum, which go.
 * @returns SHA-256 in hex
 * @throws ActionstreamError DOWNLOAD_FAILED, ABORTED
 */
export async function download(options: DownloadOptions): Promise<string> {
  const { path, checksum, url } = options;
  const hash = createHash('sha256');
  const received = await fetchInto(options, hash);
  const sha256 = hash.digest('hex');
  if (checksum === undefined || sha256.startsWith(checksum)) return sha256;
  await Promise.all([rm(path, { force: true }), rm(originOf(path), { force: true })]);
  throw failed(
    url,
    `its ${received} bytes have SHA-256 ${sha256.slice(0, 16)}…, expected ${checksum}…: damaged on the way or another file; nothing was kept`,
  );
}

async function fetchInto(options: DownloadOptions, hash: Hash): Promise<number> {
  const { url, path, checksum, signal, stallMs, onProgress } = options;
  await using file = await open(path, 'a+');
  const { size: found } = await file.stat();
  const validator = await readOrigin(path, url);
  if (checksum?.length === 64 && found > 0 && (await isWhole(file, found, checksum))) {
    await hashFirst(file, found, hash);
    return found;
  }
  // Without a name for its version and without a checksum nobody could say whose beginning is there.
  const kept = validator !== undefined || checksum !== undefined ? found : 0;
  await using body = await openBody({ url, from: kept, validator, stallMs, signal });
  await writeOrigin(path, { url, validator: body.validator });
  const start = body.from;
  if (start < found) await file.truncate(start);
  await hashFirst(file, start, hash);
  let received = start;
  try {
    for await (const chunk of body.chunks) {
      received += chunk.length;
      if (received > MAX_BYTES) throw failed(url, `sends more than ${MAX_BYTES} bytes`);
      hash.update(chunk);
      await append(file, chunk, options);
      onProgress(received, body.total);
    }
  } catch (error) {
    throw describe(error, { url, received, body, signal, stallMs });
  }
  if (body.total !== undefined && received !== body.total) {
    throw failed(url, `ended after ${received} of ${body.total} bytes; run it again to go on from there`);
  }
  return received;
}

interface Origin {
  readonly url: string;
  readonly validator: string | undefined;
}

/** Beside the part of a file: where it came from, and in which version. */
const originOf = (path: string): string => `${path}.origin`;

async function readOrigin(path: string, url: string): Promise<string | undefined> {
  try {
    const origin = JSON.parse(await readFile(originOf(path), 'utf8')) as Partial<Origin> | null;
    return origin?.url === url && typeof origin.validator === 'string' ? origin.validator : undefined;
  } catch {
    return undefined;
  }
}

/** What cannot be noted is only fetched anew. */
async function writeOrigin(path: string, origin: Origin): Promise<void> {
  const noted =
    origin.validator === undefined
      ? rm(originOf(path), { force: true })
      : writeFile(originOf(path), JSON.stringify(origin));
  await noted.catch(() => undefined);
}

async function isWhole(file: FileHandle, length: number, sha256: string): Promise<boolean> {
  const hash = createHash('sha256');
  await hashFirst(file, length, hash);
  return hash.digest('hex') === sha256;
}

async function append(
  file: FileHandle,
  chunk: Uint8Array,
  { url, path }: Pick<DownloadOptions, 'url' | 'path'>,
): Promise<void> {
  try {
    await file.appendFile(chunk);
  } catch (error) {
    const problem = `${path} cannot be written: ${messageOf(error)}`;
    throw failed(url, `${problem}; make room and run it again to go on from there`, error);
  }
}

async function hashFirst(file: FileHandle, length: number, hash: Hash): Promise<void> {
  if (length === 0) return;
  for await (const chunk of file.createReadStream({ start: 0, end: length - 1, autoClose: false })) {
    hash.update(chunk as Buffer);
  }
}

function describe(
  error: unknown,
  progress: Pick<DownloadOptions, 'url' | 'signal' | 'stallMs'> & {
    readonly received: number;
    readonly body: Body;
  },
): ActionstreamError {
  const { url, received, body, signal, stallMs } = progress;
  if (error instanceof ActionstreamError) return error;
  if (signal.aborted)
    return new ActionstreamError('ABORTED', 'interrupted; run it again to go on', { cause: error });
  const of = body.total === undefined ? '' : ` of ${body.total}`;
  const reason = body.stalled() ? `nothing came for ${stallMs / 1000} s` : messageOf(error);
  return failed(
    url,
    `stopped after ${received}${of} bytes (${reason}); run it again to go on from there`,
    error,
  );
}
