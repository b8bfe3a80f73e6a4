import type { EngineInfo, PixelClip } from '../../src/inference/engine.ts';
import { readClips } from '../../src/app/read-clips.ts';
import type { Clip } from '../../src/core/frame.ts';
import type { TestVideo } from './videos.ts';

/** The windows of a test video as the product reads them, kept so that every case sees the same pixels. */
export interface VideoWindows {
  readonly video: TestVideo;
  readonly clips: readonly Clip[];
}

/**
 * Decodes all videos at the model's rate and size. Short clips get windows half
 * a clip apart, long videos `longStride`.
 */
export async function readWindows(
  videos: readonly TestVideo[],
  info: EngineInfo,
  longStride: number,
  signal: AbortSignal,
): Promise<readonly VideoWindows[]> {
  const read: VideoWindows[] = [];
  for (const video of videos) {
    const stride = video.task === 'indoor' ? longStride : Math.ceil(info.frames / 2);
    const clips: Clip[] = [];
    for await (const clip of readClips(video.path, info, { stride, env: process.env }, signal)) {
      if (clips.length === 0 || clip.paddedFrames === 0) clips.push(clip);
    }
    read.push({ video, clips });
  }
  return read;
}

/** One block of pixels, last frame first where reversed. */
export function pixelsOf(clip: Clip, order: 'normal' | 'reversed'): PixelClip {
  const frames = order === 'normal' ? clip.frames : clip.frames.toReversed();
  const { width, height } = frames[0]!;
  const data = new Uint8Array(frames.length * width * height * 3);
  frames.forEach((frame, index) => {
    data.set(frame.data, index * width * height * 3);
  });
  return { clipId: clip.clipId, frames: frames.length, height, width, data };
}
