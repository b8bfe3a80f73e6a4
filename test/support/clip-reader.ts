import { onTestFinished } from 'vitest';

import type { Clip, StreamGap, StreamTransition } from '../../src/core/frame.ts';
import { createClipStream } from '../../src/ingest/index.ts';
import type { ClipStream, StreamOptions } from '../../src/ingest/types.ts';

/** A real clip stream with everything it says, kept for a test to look at and wait for. */
export interface ClipReader {
  readonly stream: ClipStream;
  readonly clips: readonly Clip[];
  readonly transitions: readonly StreamTransition[];
  readonly gaps: readonly StreamGap[];
  /** States and gaps in the order in which they were reported: `up`, `gap`. */
  readonly said: readonly string[];
  /** Every line logged, as text. */
  readonly logged: readonly string[];
  /**
   * Resolves once the condition holds; looked at whenever something happens.
   * Rejects where reading fails first.
   */
  until(what: string, condition: () => boolean, timeoutMs?: number): Promise<void>;
  /** Resolves at the end of the stream, rejects with its error. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

export const readerDefaults = {
  streamId: 'cam',
  realtime: false,
  policy: 'freshest',
  window: { frames: 4, stride: 4, fps: 10, tail: 'drop' },
  width: 16,
  height: 16,
  fit: 'stretch',
  // A slow machine is no stalled source: tests of stalls set their own.
  noFrameTimeoutMs: 30_000,
  reconnect: { firstMs: 20, maxMs: 200, maxAttempts: Infinity },
  queueClips: 8,
  ffmpegPath: process.env['FFMPEG_PATH'] ?? 'ffmpeg',
} as const satisfies Partial<StreamOptions>;

/** Reads as fast as clips come, or one clip each time `pace` resolves. */
export function readClips(
  options: Partial<StreamOptions> & Pick<StreamOptions, 'url' | 'kind'>,
  pace: () => Promise<void> = () => Promise.resolve(),
): ClipReader {
  const clips: Clip[] = [];
  const transitions: StreamTransition[] = [];
  const gaps: StreamGap[] = [];
  const said: string[] = [];
  const logged: string[] = [];
  const watchers = new Set<() => void>();
  const changed = (): void => {
    for (const watcher of [...watchers]) watcher();
  };
  const log = (fields: object, message: string): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`);
  };
  const stream = createClipStream(
    { ...readerDefaults, ...options },
    {
      logger: { debug: log, info: log, warn: log, error: log },
      onTransition(transition) {
        transitions.push(transition);
        said.push(transition.state);
        changed();
      },
      onGap(gap) {
        gaps.push(gap);
        said.push('gap');
        changed();
      },
    },
  );
  const controller = new AbortController();
  const read = async (): Promise<void> => {
    for await (const clip of stream.clips(controller.signal)) {
      clips.push(clip);
      changed();
      await pace();
    }
  };
  const done = read();
  done.then(changed, changed);
  const stop = async (): Promise<void> => {
    controller.abort();
    await done;
  };
  // A test that fails midway leaves no ffmpeg to the next one.
  onTestFinished(() => stop().catch(() => undefined));
  return {
    stream,
    clips,
    transitions,
    gaps,
    said,
    logged,
    done,
    async until(what, condition, timeoutMs = 60_000) {
      const reached = new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          finish(() => {
            reject(new Error(`not within ${timeoutMs} ms: ${what}; saw ${JSON.stringify(transitions)}`));
          });
        }, timeoutMs);
        const finish = (settle: () => void): void => {
          clearTimeout(timer);
          watchers.delete(look);
          settle();
        };
        const look = (): void => {
          if (condition()) finish(resolve);
        };
        watchers.add(look);
        look();
      });
      await Promise.race([reached, done.then(() => reached)]);
    },
    stop,
  };
}
