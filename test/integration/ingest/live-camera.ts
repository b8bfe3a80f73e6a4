import { join } from 'node:path';

import { afterEach, beforeAll, expect } from 'vitest';

import type { Clip } from '../../../src/core/frame.ts';
import type { StreamOptions } from '../../../src/ingest/types.ts';
import {
  startRtspServer,
  type RtspServer,
  type RtspServerOptions,
} from '../../../tools/local/rtsp-server.ts';
import { readClips, type ClipReader } from '../../support/clip-reader.ts';
import { timeVideo } from '../../support/lavfi.ts';
import { descendantsOf, type RunningProcess } from '../../support/processes.ts';
import { fileDirectory } from '../../support/temporary-directory.ts';

export const SECRET = 'opensesame';

interface LiveCameras {
  /** A folder of the test file's own. */
  readonly folder: () => string;
  /** What the cameras show, over and over: 6 s that tell their time. */
  readonly video: () => string;
  readonly camera: (options?: Partial<RtspServerOptions>) => Promise<RtspServer>;
  readonly watch: (url: string, options?: Partial<StreamOptions>) => ClipReader;
  /** Whatever is here ends with the test, the last one first. */
  readonly open: AsyncDisposable[];
}

/** Cameras and their readers. After each test no ffmpeg and no watcher outlives its owner. */
export function liveCameras(): LiveCameras {
  const folder = fileDirectory();
  const video = (): string => join(folder(), 'scene.mp4');
  const open: AsyncDisposable[] = [];
  beforeAll(() => timeVideo(folder(), 'scene.mp4', { seconds: 6 }));
  afterEach(async () => {
    for (const resource of open.splice(0).reverse()) await resource[Symbol.asyncDispose]();
    await expect.poll(ffmpegs).toEqual([]);
  });
  return {
    ...{ folder, video, open },
    async camera(options = {}) {
      const server = await startRtspServer({ file: video(), ...options });
      open.push(server);
      return server;
    },
    watch(url, options = {}) {
      const reader = readClips({ kind: 'live', url, ...options });
      open.push({ [Symbol.asyncDispose]: () => reader.stop().catch(() => undefined) });
      return reader;
    },
  };
}

/** `up first_frame`, one for each transition. */
export function reported({ transitions }: ClipReader): readonly string[] {
  return transitions.map(({ state, reason }) => `${state} ${reason}`);
}

export function count(reader: ClipReader, what: string): number {
  return reported(reader).filter((line) => line === what).length;
}

/** No clip spans two segments, and none begins before the one before it ended. */
export function expectWhole(clips: readonly Clip[]): void {
  let last = -Infinity;
  for (const { frames, segment, startedAtMs, endedAtMs } of clips) {
    expect(frames.every((frame) => frame.segment === segment)).toBe(true);
    expect(startedAtMs).toBeGreaterThanOrEqual(last);
    expect(endedAtMs).toBeGreaterThan(startedAtMs);
    last = endedAtMs - 1;
  }
}

export async function ffmpegs(): Promise<readonly RunningProcess[]> {
  const family = await descendantsOf(process.pid);
  return family.filter(({ command }) => /ffmpeg|actionstream-guard/.test(command));
}
