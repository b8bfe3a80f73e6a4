import { from } from 'rxjs';
import type { Clip, Frame } from '../core/frame.ts';
import type { WindowOptions } from './types.ts';
import { windowClips } from './window-clips.ts';

/**
 * The clips of frames that are all there, as `windowClips` makes them of a stream that holds nothing else.
 */
export function clipsOfFrames(frames: readonly Frame[], window: WindowOptions): readonly Clip[] {
  const clips: Clip[] = [];
  from(frames)
    .pipe(windowClips(window))
    .subscribe((clip) => {
      clips.push(clip);
    });
  return clips;
}
