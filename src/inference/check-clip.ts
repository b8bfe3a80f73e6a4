import { ActionstreamError } from '../core/errors.ts';
import type { PixelClip } from './engine.ts';

/**
 * The first thing every engine does with a clip.
 * @throws ActionstreamError INPUT_INVALID where the clip has not the network's frames and size, or not its bytes
 */
export function checkClip(
  clip: PixelClip,
  expected: { readonly frames: number; readonly height: number; readonly width: number },
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
}

function invalid(clip: PixelClip, problem: string): ActionstreamError {
  return new ActionstreamError('INPUT_INVALID', `clip ${clip.clipId}: ${problem}`);
}
