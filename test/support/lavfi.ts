import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { Frame } from '../../src/core/frame.ts';

/** Runs ffmpeg, as tests need it to make their input; throws with its messages where it fails. */
export async function ffmpeg(...args: readonly string[]): Promise<void> {
  await promisify(execFile)('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args]);
}

export interface TestVideo {
  readonly seconds: number;
  /** Default 25. */
  readonly fps?: number;
  /** Default: one keyframe every 5 frames, so that a client that joins sees one soon. */
  readonly keyframeEvery?: number;
  /** More filters, after the frame was made. */
  readonly filter?: string;
  /** More output options. */
  readonly output?: readonly string[];
}

/** A 64×64 H.264 video whose frames tell their time (see `filmedMs`); at most 10 s. Returns its path. */
export async function timeVideo(folder: string, name: string, video: TestVideo): Promise<string> {
  const { seconds, fps = 25, keyframeEvery = 5, filter, output = [] } = video;
  const path = join(folder, name);
  // Brightness left: the time of 10 s; right: of the second. Video black to
  // white is 16 to 235 where rgb is 0 to 255.
  const luma = '16+219*if(lt(X,W/2),T/10,mod(T,1))';
  const source = `nullsrc=size=64x64:rate=${fps}:duration=${seconds},format=yuv420p,geq=lum='${luma}':cb=128:cr=128`;
  await ffmpeg(
    ...['-f', 'lavfi', '-i', filter === undefined ? source : `${source},${filter}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '4', '-bf', '0', '-g', String(keyframeEvery)],
    ...['-fps_mode', 'passthrough', ...output, path],
  );
  return path;
}

/** What a frame of `timeVideo` says of its time, in milliseconds, to within 10. */
export function filmedMs({ data, width, height }: Frame): number {
  const brightness = (x: number): number =>
    (data[((height >> 1) * width + Math.floor(x * width)) * 3] ?? NaN) / 255;
  const [tenSeconds, second] = [brightness(0.25), brightness(0.75)];
  return (Math.round(10 * tenSeconds - second) + second) * 1000;
}
