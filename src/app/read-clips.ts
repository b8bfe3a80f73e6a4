import { ActionstreamError } from '../core/errors.ts';
import type { Clip } from '../core/frame.ts';
import { silentLogger } from '../core/logger.ts';
import type { EngineInfo, PixelClip } from '../inference/engine.ts';
import { loadNpy } from '../inference/weights/npy.ts';
import { createClipStream, findFfmpeg } from '../ingest/index.ts';
import type { StreamOptions } from '../ingest/types.ts';

/** How to read a source, besides its address. */
export type SourceAccess = Pick<StreamOptions, 'username' | 'password' | 'tls'>;

export interface FileClipOptions {
  readonly access?: SourceAccess;
  /** Frames between clip starts, and frames a second; the model's own where absent. */
  readonly stride?: number;
  readonly fps?: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Every clip of a video file, at the size, length and rate of the model; the last one padded. */
export async function* readClips(
  input: string,
  info: EngineInfo,
  { stride, fps, env, access }: FileClipOptions,
  signal: AbortSignal,
): AsyncGenerator<Clip, void, undefined> {
  const ffmpeg = await findFfmpeg(env);
  const stream = createClipStream(
    {
      streamId: input,
      url: input,
      ...access,
      kind: 'file',
      realtime: false,
      policy: 'every_frame',
      window: {
        frames: info.frames,
        stride: stride ?? info.clip.stride,
        fps: fps ?? info.clip.fps,
        tail: 'pad',
        ...(info.reuse && { context: info.reuse.contextFrames }),
      },
      width: info.width,
      height: info.height,
      fit: info.frameFit?.fit ?? 'stretch',
      ...(info.frameFit && { scale: info.frameFit.scale }),
      noFrameTimeoutMs: 10_000,
      reconnect: { firstMs: 1000, maxMs: 1000, maxAttempts: 0 },
      queueClips: 2,
      ffmpegPath: ffmpeg.path,
    },
    { logger: silentLogger, onTransition: () => undefined, onGap: () => undefined },
  );
  yield* stream.clips(signal);
}

/** A `.npy` of uint8 [T, H, W, 3] as one clip. @throws INPUT_INVALID */
export async function readPixels(path: string): Promise<PixelClip> {
  const { shape, data } = await loadNpy(path);
  const [frames, height, width, channels] = shape;
  if (!(data instanceof Uint8Array) || shape.length !== 4 || channels !== 3 || !frames || !height || !width) {
    const kind = data instanceof Uint8Array ? 'uint8' : 'float';
    throw new ActionstreamError(
      'INPUT_INVALID',
      `${path}: a clip must be uint8 [T, H, W, 3], not ${kind} [${shape.join(', ')}]`,
    );
  }
  return { clipId: path, frames, height, width, data };
}
