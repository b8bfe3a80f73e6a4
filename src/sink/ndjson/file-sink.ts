import { constants } from 'node:fs';
import { mkdir, open, stat, statfs, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { ActionstreamError, systemCodeOf } from '../../core/errors.ts';
import type { RecordType } from '../../core/records.ts';
import type { EventSink, StoredRecord } from '../event-sink.ts';
import { lastLineOf } from './last-line.ts';
import { linesOf } from './lines.ts';
import { unwritable } from './output-errors.ts';
import { writeAll } from './write-all.ts';

export interface NdjsonFileSinkOptions {
  readonly path: string;
  /** Only these; default all. */
  readonly types?: readonly RecordType[];
}

/** Appends to a file. What `write` resolved for is on disk (fsync); a pipe or device has taken it. */
export function createNdjsonFileSink(options: NdjsonFileSinkOptions): EventSink {
  return new NdjsonFileSink(options);
}

// A pipe without a reader fails at once instead of holding up the process.
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/**
 * - Opening: missing folders are made. A line that an earlier process left torn is cut off.
 * - After a failed write: the part of the batch that was written is cut off, so that
 *   the repeated batch leaves no half line. Where it cannot be cut off (a pipe, or
 *   another process has appended since), the next batch begins on a new line.
 * - Where the path names another file by now (moved or deleted): the file is opened anew.
 */
class NdjsonFileSink implements EventSink {
  readonly name = 'ndjson';
  readonly #path: string;
  readonly #types: readonly RecordType[] | undefined;
  #file: FileHandle | undefined;
  /** What a failed write left behind: bytes [from, to) of the file. */
  #torn: { readonly from: number; readonly to: number } | undefined;
  #needsNewLine = false;

  constructor({ path: file, types }: NdjsonFileSinkOptions) {
    this.#path = file;
    this.#types = types;
  }

  async open(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw interrupted();
    try {
      const file = await this.#ready();
      if (!(await file.stat()).isFile()) return;
      const { bavail } = await statfs(this.#path);
      if (bavail === 0) throw Object.assign(new Error('no space left on the device'), { code: 'ENOSPC' });
    } catch (error) {
      throw unwritable(this.#path, error);
    }
  }

  async write(batch: readonly StoredRecord[], signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw interrupted();
    const lines = linesOf(batch, this.#types);
    if (lines === '') return;
    try {
      await this.#append(await this.#ready(), lines, signal);
    } catch (error) {
      throw unwritable(this.#path, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mend().catch(() => undefined);
    await this.#close();
  }

  async #append(file: FileHandle, lines: string, signal: AbortSignal): Promise<void> {
    const before = await file.stat();
    const [size, isFile] = [before.size, before.isFile()];
    const content = Buffer.from(this.#needsNewLine ? `\n${lines}` : lines);
    const { bytes, error } = await writeAll(file.fd, content, signal);
    try {
      if (error !== undefined) throw error;
      if (isFile) await file.datasync();
      this.#needsNewLine = false;
    } catch (failure) {
      if (bytes > 0 && isFile) this.#torn = { from: size, to: size + bytes };
      else if (bytes > 0) this.#needsNewLine = true;
      await this.#mend().catch(() => undefined);
      throw failure;
    }
  }

  async #mend(): Promise<void> {
    const [file, torn] = [this.#file, this.#torn];
    if (!file || !torn) return;
    if ((await file.stat()).size === torn.to) await file.truncate(torn.from);
    else this.#needsNewLine = true;
    this.#torn = undefined;
  }

  async #ready(): Promise<FileHandle> {
    if (this.#file && !(await isAt(this.#path, this.#file))) await this.#close();
    if (!this.#file) {
      await mkdir(path.dirname(this.#path), { recursive: true });
      this.#torn = undefined;
      this.#file = await open(this.#path, FLAGS, 0o666);
      await this.#endLastLine(this.#file);
    }
    await this.#mend();
    return this.#file;
  }

  async #endLastLine(file: FileHandle): Promise<void> {
    this.#needsNewLine = false;
    if (!(await file.stat()).isFile()) return;
    const { cutTo, needsNewLine } = await lastLineOf(this.#path);
    if (cutTo !== undefined) await file.truncate(cutTo);
    this.#needsNewLine = needsNewLine;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }
}

function interrupted(): ActionstreamError {
  return new ActionstreamError('ABORTED', 'interrupted before the file was written');
}

async function isAt(file: string, handle: FileHandle): Promise<boolean> {
  const [named, opened] = await Promise.all([
    stat(file).catch((error: unknown) => {
      if (systemCodeOf(error) === 'ENOENT') return undefined;
      throw error;
    }),
    handle.stat(),
  ]);
  return named?.ino === opened.ino && named.dev === opened.dev;
}
