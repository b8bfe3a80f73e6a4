import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { createClipStream } from '../../../src/ingest/index.ts';
import type { StreamOptions } from '../../../src/ingest/types.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { Frame } from '../../../src/core/frame.ts';
import { MediaKeeper } from '../../../src/media/media-keeper.ts';
import type { MediaSettings } from '../../../src/media/types.ts';
import { readerDefaults } from '../../support/clip-reader.ts';
import { filmedMs } from '../../support/lavfi.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

export const SETTINGS = {
  ...{ beforeMs: 1000, afterMs: 1000, longestMs: 60_000 },
  ...{ maxBytes: 1e9, maxAgeMs: 1e9, minFreeBytes: 0 },
} as const satisfies Omit<MediaSettings, 'dir'>;

export const FFMPEG = readerDefaults.ffmpegPath;

/** A keeper in a folder of its own. */
export async function openKeeper(settings: Partial<MediaSettings> = {}): Promise<MediaKeeper> {
  const dir = await temporaryDirectory();
  return MediaKeeper.open({ dir, ...SETTINGS, ...settings }, { ffmpegPath: FFMPEG, logger: silentLogger });
}

export interface Watched {
  /** Every frame so far, on the grid of 25 a second. */
  readonly frames: readonly Frame[];
  readonly stop: () => Promise<void>;
  /** Resolves at the end of a file. */
  readonly done: Promise<void>;
}

/** A stream as a run reads it, whose video the keeper gets. */
export async function watch(
  keeper: MediaKeeper,
  options: Pick<StreamOptions, 'url' | 'kind'> & Partial<StreamOptions>,
): Promise<Watched> {
  const footage = await keeper.begin('cam', options.kind);
  const { ringDir } = footage;
  const stream = createClipStream(
    {
      ...readerDefaults,
      window: { frames: 5, stride: 5, fps: 25, tail: 'drop' },
      ...(ringDir !== undefined && { ringDir }),
      ...options,
    },
    {
      logger: silentLogger,
      onTransition: () => undefined,
      onGap: () => undefined,
      onSegment: (segment) => {
        footage.onSegment(segment);
      },
      onFileTime: (time) => {
        footage.onFileTime(time);
      },
    },
  );
  const stopping = new AbortController();
  const frames: Frame[] = [];
  const read = async (): Promise<void> => {
    for await (const clip of stream.clips(stopping.signal)) frames.push(...clip.frames);
  };
  const done = read();
  const stop = async (): Promise<void> => {
    stopping.abort();
    await done;
  };
  onTestFinished(() => stop().catch(() => undefined));
  return { frames, stop, done };
}

/** What a file's frame at `atS` of its own time says of the time at which it was filmed. */
export async function filmedAt(file: string, atS: number): Promise<number> {
  const { stdout } = await promisify(execFile)(
    FFMPEG,
    [
      ...['-v', 'error', '-i', file, '-vf', `select='gte(t,${atS - 0.001})',scale=16:16:flags=bilinear`],
      ...['-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
    ],
    { encoding: 'buffer' },
  );
  return filmedMs({ data: new Uint8Array(stdout), width: 16, height: 16 } as Frame);
}

/** What a frame shows that the network saw at that time. */
export function seenAt(frames: readonly Frame[], atMs: number): number {
  const frame = frames.find(({ capturedAtMs }) => capturedAtMs >= atMs - 1);
  if (!frame) throw new Error(`no frame was seen at ${atMs}`);
  return filmedMs(frame);
}
