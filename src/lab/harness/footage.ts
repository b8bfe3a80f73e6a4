import { readClips } from '../../app/read-clips.ts';
import { resolveStream, type StreamSettings } from '../../config/index.ts';
import type { Clip } from '../../core/frame.ts';
import { silentLogger } from '../../core/logger.ts';
import type { EngineInfo } from '../../inference/engine.ts';
import { createClipStream } from '../../ingest/index.ts';
import type { StreamOptions } from '../../ingest/types.ts';

/** Something that can be read again: each time it gives the same clips. */
export interface Footage {
  readonly name: string;
  /** Frames between clip starts; absent: the model's own. */
  readonly stride?: number;
  clips(info: EngineInfo, signal: AbortSignal): AsyncIterable<Clip>;
}

/** A video as `infer` reads it. */
export function footageOfVideo(
  video: string,
  window: { readonly fps?: number; readonly stride?: number },
  env: Readonly<Record<string, string | undefined>>,
): Footage {
  return {
    name: video,
    ...(window.stride !== undefined && { stride: window.stride }),
    clips: (info, signal) => readClips(video, info, { ...window, env }, signal),
  };
}

/** A file as `run` reads it, at its settings but as fast as it can be read. */
export function footageOfFile(settings: StreamSettings, ffmpegPath: string): Footage {
  const { stride } = settings.window;
  return {
    name: settings.streamId,
    ...(stride !== undefined && { stride }),
    clips: (info, signal) => {
      const options = optionsOf(settings, info, ffmpegPath);
      const whole = { ...options, realtime: false, policy: 'every_frame' } as const;
      return createClipStream(whole, SILENT).clips(signal);
    },
  };
}

/** What `run` would read the stream with. */
export function optionsOf(settings: StreamSettings, info: EngineInfo, ffmpegPath: string): StreamOptions {
  return resolveStream(settings, info, ffmpegPath).options;
}

const SILENT = { logger: silentLogger, onTransition: () => undefined, onGap: () => undefined };
