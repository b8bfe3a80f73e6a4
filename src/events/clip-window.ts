import type { ScoredClip } from './types.ts';

/** The part of the timeline that a clip speaks for, [startMs, endMs). */
export interface ClipWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly startUs: number;
  readonly endUs: number;
}

/**
 * The middle of the clip, one stride long. Windows of overlapping clips tile the timeline, so each moment
 * belongs to one score. A classifier turns to "yes" when about half of its clip shows the action,
 * wherever in the clip that half lies: the start of the first window and the end of the last are then
 * within half a stride of onset and offset, whatever the overlap, while the start of the first clip is
 * early by half a clip. Without overlap the window is the clip. A clip that follows on no other (the
 * first of a segment, or after time that no clip covers) also speaks for what comes before its middle.
 */
export function windowOf(clip: ScoredClip, strideMs: number, followsOnNone: boolean): ClipWindow {
  const marginMs = Math.max(0, (clip.endMs - clip.startMs - strideMs) / 2);
  const leadMs = followsOnNone ? 0 : marginMs;
  return {
    startMs: clip.startMs + leadMs,
    endMs: clip.endMs - marginMs,
    startUs: clip.startUs + leadMs * 1000,
    endUs: clip.endUs - marginMs * 1000,
  };
}
