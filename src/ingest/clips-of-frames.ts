import { from, Subject } from 'rxjs';
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

/** The same of frames that come one after the other: no more of them are held than a clip spans. */
export async function* clipsOfFrameStream(
  frames: AsyncIterable<Frame>,
  window: WindowOptions,
): AsyncGenerator<Clip, void, undefined> {
  const source = new Subject<Frame>();
  let ready: Clip[] = [];
  const subscription = source.pipe(windowClips(window)).subscribe((clip) => {
    ready.push(clip);
  });
  const taken = (): readonly Clip[] => {
    const clips = ready;
    ready = [];
    return clips;
  };
  try {
    for await (const frame of frames) {
      source.next(frame);
      yield* taken();
    }
    source.complete();
    yield* taken();
  } finally {
    subscription.unsubscribe();
  }
}
