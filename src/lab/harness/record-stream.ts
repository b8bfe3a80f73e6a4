import { mkdtemp, open, rm, statfs, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ActionstreamError, toActionstreamError } from '../../core/errors.ts';
import type { Frame } from '../../core/frame.ts';
import { silentLogger } from '../../core/logger.ts';
import { clipsOfFrameStream, createClipStream } from '../../ingest/index.ts';
import type { StreamOptions } from '../../ingest/types.ts';
import type { Footage } from './footage.ts';

/** A live stream as it was seen for a while. Its frames lie on disk, at the size and rate of the model. */
export interface Recording extends Footage, AsyncDisposable {
  /** Seconds of footage. */
  readonly seconds: number;
}

interface RecordOptions {
  readonly durationMs: number;
  readonly signal: AbortSignal;
  /** Something that shortened the recording. */
  readonly onNote: (note: string) => void;
}

/** Failures to connect in a row after which a camera is given up. */
const ATTEMPTS = 5;
/** Frames that may wait for the disk. */
const QUEUED = 256;

/**
 * Watches a live stream for so long from its first frame on, with the login, trust and reconnects of `run`.
 * A camera that is lost on the way leaves what was seen of it.
 *
 * @throws ActionstreamError the source's own, where no frame came; USAGE where the disk has no room; ABORTED
 */
export async function recordStream(
  options: StreamOptions,
  { durationMs, signal, onNote }: RecordOptions,
): Promise<Recording> {
  await demandRoom(options, durationMs);
  const folder = await mkdtemp(path.join(tmpdir(), 'actionstream-calibrate-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const file = await open(path.join(folder, 'frames.rgb'), 'w+');
    try {
      const frames = await watch(options, { file, durationMs, signal, onNote });
      return recordingOf(options, frames, { file, remove });
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A frame without its pixels. */
type Stamp = Omit<Frame, 'data'>;

async function watch(
  options: StreamOptions,
  { file, durationMs, signal, onNote }: RecordOptions & { readonly file: FileHandle },
): Promise<readonly Stamp[]> {
  const single = { frames: 1, stride: 1, fps: options.window.fps, tail: 'drop' } as const;
  const maxAttempts = Math.min(options.reconnect.maxAttempts, ATTEMPTS);
  const stream = createClipStream(
    {
      ...{ ...options, window: single, policy: 'freshest', queueClips: QUEUED },
      reconnect: { ...options.reconnect, maxAttempts },
    },
    { logger: silentLogger, onTransition: () => undefined, onGap: () => undefined },
  );
  const stamps: Stamp[] = [];
  const enough = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  try {
    for await (const { frames } of stream.clips(AbortSignal.any([signal, enough.signal]))) {
      timer ??= setTimeout(() => {
        enough.abort();
      }, durationMs);
      for (const { data, ...stamp } of frames) {
        await file.write(data, 0, data.length, stamps.length * data.length);
        stamps.push(stamp);
      }
    }
  } catch (error) {
    if (signal.aborted) throw error;
    if (!enough.signal.aborted) {
      if (stamps.length === 0) throw error;
      onNote(`${options.streamId}: lost: ${toActionstreamError(error).message}`);
    }
  } finally {
    clearTimeout(timer);
  }
  signal.throwIfAborted();
  return withBreaks(stamps);
}

/** Where frames are missing, a segment ends: no window spans the hole. */
function withBreaks(stamps: readonly Stamp[]): readonly Stamp[] {
  let segment = 0;
  return stamps.map((stamp, position) => {
    const before = stamps[position - 1];
    if (before && (stamp.segment !== before.segment || stamp.index !== before.index + 1)) segment += 1;
    return { ...stamp, segment };
  });
}

function recordingOf(
  { streamId, window, width, height }: StreamOptions,
  stamps: readonly Stamp[],
  { file, remove }: { readonly file: FileHandle; readonly remove: () => Promise<void> },
): Recording {
  const size = width * height * 3;
  async function* frames(signal: AbortSignal): AsyncGenerator<Frame, void, undefined> {
    for (const [position, stamp] of stamps.entries()) {
      signal.throwIfAborted();
      const data = new Uint8Array(size);
      await file.read(data, 0, size, position * size);
      yield { ...stamp, data };
    }
  }
  return {
    name: streamId,
    stride: window.stride,
    seconds: stamps.length / window.fps,
    clips: (_, signal) => clipsOfFrameStream(frames(signal), { ...window, tail: 'drop' }),
    async [Symbol.asyncDispose]() {
      await file.close();
      await remove();
    },
  };
}

/** @throws ActionstreamError USAGE */
async function demandRoom({ width, height, window }: StreamOptions, durationMs: number): Promise<void> {
  const folder = tmpdir();
  const needed = (durationMs / 1000) * window.fps * width * height * 3;
  const { bavail, bsize } = await statfs(folder);
  if (needed < bavail * bsize) return;
  const [wanted, free] = [needed, bavail * bsize].map((bytes) => `${(bytes / 2 ** 30).toFixed(2)} GiB`);
  const remedy = 'shorten --duration, or name another folder in TMPDIR';
  throw new ActionstreamError(
    'USAGE',
    `the frames take ${wanted} of ${folder}, where ${free} are free: ${remedy}`,
  );
}
