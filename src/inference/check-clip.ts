import { ActionstreamError } from '../core/errors.ts';
import type { EngineInfo, PixelClip, StreamPlace } from './engine.ts';

/**
 * The first thing every engine does with a clip.
 * @throws ActionstreamError INPUT_INVALID where the clip has not the network's frames and size, not its bytes, or not the
 * pictures before it
 */
export function checkClip(
  clip: PixelClip,
  expected: Pick<EngineInfo, 'frames' | 'height' | 'width' | 'reuse'>,
): void {
  const found = [clip.frames, clip.height, clip.width, 3];
  const wanted = [expected.frames, expected.height, expected.width, 3];
  if (found.some((n, axis) => n !== wanted[axis])) {
    throw invalid(clip, `is [${found.join(', ')}], the network takes [${wanted.join(', ')}]`);
  }
  const bytes = wanted.reduce((product, n) => product * n, 1);
  if (clip.data.length !== bytes) {
    throw invalid(clip, `holds ${clip.data.length} bytes, [${wanted.join(', ')}] needs ${bytes}`);
  }
  if (clip.stream && expected.reuse) checkContext(clip, clip.stream, expected.reuse.contextFrames);
}

function checkContext(clip: PixelClip, { firstFrame, before }: StreamPlace, contextFrames: number): void {
  const expected = Math.min(firstFrame, contextFrames);
  const found = before.length / (clip.height * clip.width * 3);
  if (found === expected) return;
  throw invalid(
    clip,
    `comes with ${found} pictures before it; at frame ${firstFrame} of its segment the network sees ${expected}`,
  );
}

function invalid(clip: PixelClip, problem: string): ActionstreamError {
  return new ActionstreamError('INPUT_INVALID', `clip ${clip.clipId}: ${problem}`);
}
