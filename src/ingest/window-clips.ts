import { Observable, type OperatorFunction } from 'rxjs';

import type { Clip, Frame } from '../core/frame.ts';
import type { WindowOptions } from './types.ts';

/**
 * Frames in, clips of `frames` frames out, one every `stride` frames of a segment.
 *
 *     frames 4, stride 2   in   a b c d e f g |      (one segment)
 *                          out        A   B   C|     A = abcd, B = cdef, C = efg by tail policy
 *
 * Windows start at the first frame of each segment and every `stride` frames after it; no
 * clip spans two segments. When a segment or the stream completes and frames are left that no
 * clip holds, the policy decides: `drop` gives them up, `pad` repeats the last one to a full
 * clip, `short` makes a shorter clip. With stride > frames, the frames between windows belong
 * to none. With `context` n a clip also holds the last n frames of its segment before it. An
 * error passes at once and takes the unfinished window with it; unsubscribing releases it.
 *
 * Covers [start of the first frame, start of the frame after the last real one), also when padded.
 */
export function windowClips(options: WindowOptions): OperatorFunction<Frame, Clip> {
  const { frames: length, stride, tail, context: reach = 0 } = options;
  return (source) =>
    new Observable<Clip>((subscriber) => {
      let window: Frame[] = [];
      /** Leading frames of the window that an earlier clip holds already. */
      let covered = 0;
      /** Frames to pass over before the next window starts. */
      let skip = 0;
      let segment: number | undefined;
      let sequence = 0;
      /** Frames of the segment before the window, and the last of them. */
      let framesBefore = 0;
      let context: readonly Frame[] = [];

      const emit = (frames: readonly Frame[]): void => {
        subscriber.next({ ...clipOf(frames, sequence++, options), framesBefore, context });
      };
      const pass = (frames: readonly Frame[]): void => {
        framesBefore += frames.length;
        context = reach === 0 ? [] : [...context, ...frames].slice(-reach);
      };
      const finishSegment = (): void => {
        const rest = window;
        const uncovered = rest.length - covered;
        window = [];
        covered = 0;
        skip = 0;
        if (uncovered > 0 && tail !== 'drop') emit(rest);
        framesBefore = 0;
        context = [];
      };
      const accept = (frame: Frame): void => {
        if (skip > 0) {
          skip -= 1;
          pass([frame]);
          return;
        }
        window.push(frame);
        if (window.length < length) return;
        const full = window;
        window = full.slice(stride);
        covered = window.length;
        skip = Math.max(0, stride - length);
        emit(full);
        pass(full.slice(0, stride));
      };

      const subscription = source.subscribe({
        next(frame) {
          if (segment !== undefined && frame.segment !== segment) finishSegment();
          segment = frame.segment;
          accept(frame);
        },
        error(error: unknown) {
          subscriber.error(error);
        },
        complete() {
          finishSegment();
          subscriber.complete();
        },
      });
      return () => {
        subscription.unsubscribe();
        window = [];
      };
    });
}

function clipOf(
  real: readonly Frame[],
  sequence: number,
  { frames: length, fps, tail }: WindowOptions,
): Omit<Clip, 'framesBefore' | 'context'> {
  const [first] = real;
  const last = real.at(-1);
  if (!first || !last) throw new RangeError('a clip holds at least one frame');
  const paddedFrames = tail === 'pad' ? length - real.length : 0;
  const endUs = nextSlotUs(last.ptsUs, fps);
  return {
    clipId: `${first.streamId}/${first.segment}/${first.index}`,
    streamId: first.streamId,
    segment: first.segment,
    sequence,
    startIndex: first.index,
    frames: paddedFrames > 0 ? [...real, ...Array<Frame>(paddedFrames).fill(last)] : real,
    startUs: first.ptsUs,
    endUs,
    startedAtMs: first.capturedAtMs,
    endedAtMs: last.capturedAtMs + (endUs - last.ptsUs) / 1000,
    paddedFrames,
  };
}

/**
 * Rounds like the frames themselves, so that the end of one clip equals the
 * start of the next to the microsecond.
 */
function nextSlotUs(ptsUs: number, fps: number): number {
  return Math.round(((Math.round((ptsUs * fps) / 1_000_000) + 1) * 1_000_000) / fps);
}
