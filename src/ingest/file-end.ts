import type { FfmpegEnd } from './ffmpeg-run.ts';
import type { SourceFault } from './source-faults.ts';

/**
 * Texts of ffmpeg 5.1 to 8 where input ends before the container or the server
 * said so; it exits with 0 all the same.
 */
const BROKEN_OFF =
  /partial file|ended prematurely|error during demuxing|: input\/output error|: connection (reset|refused|timed out)/i;
const PREMATURE = /stream ends prematurely/i;
/** A second video stream begins in the middle: what was read until then is not all of the video. */
const OTHER_STREAM = /^(\[[^\]]*\] )?New video stream /;
/**
 * A damaged group of frames gives a few messages; a rest in another codec gives
 * one or more for each frame of its.
 */
const COMPLAINTS_A_SLOT = 20;
const FASTEST_SOURCE_FPS = 120;
/** So much may still come from a decoder that has seen the last frame it could decode. */
const HELD_MS = 2000;

/**
 * Whether ffmpeg, which exited with 0, left a rest of the file unread, and how much was read. A file that
 * only ends early (the container declares more than there is, as with a longer sound track) is no fault.
 */
export function missingRest(
  end: FfmpegEnd,
  { local, fps }: { readonly local: boolean; readonly fps: number },
): SourceFault | undefined {
  const brokenOff = brokenOffBy(end.messages);
  const detail = brokenOff ?? undecodable(end, fps);
  if (detail === undefined) return undefined;
  // What cannot be decoded is often missing from the declared length too.
  const read = shareOf(brokenOff === undefined ? { readMs: end.readMs } : end);
  const { reason, code } = brokenOff !== undefined && !local ? CONNECTION_LOST : DAMAGED;
  return { reason, code, detail: `${read}, then: ${detail}` };
}

/**
 * Containers without an index, whose length ffmpeg takes from the times of their last packets: these are
 * there, whatever becomes of them.
 */
const MEASURED = /^mpeg(ts)?$/;

/** Is there more of the file than frames came of it? Then the video's own length is worth a look. */
export function endsBeforePackets({ format = '', declaredMs = 0, readMs, steppedBack }: FfmpegEnd): boolean {
  return MEASURED.test(format) && !steppedBack && declaredMs - readMs > HELD_MS;
}

/** A rest of the video that gave no frame and no message, as where another codec begins. */
export function silentRest({ readMs }: FfmpegEnd, videoMs: number | undefined): SourceFault | undefined {
  if (videoMs === undefined || videoMs - readMs <= HELD_MS) return undefined;
  const read = shareOf({ readMs, declaredMs: videoMs });
  return { ...DAMAGED, detail: `${read}, then: what follows gives no frame (another codec?)` };
}

const CONNECTION_LOST = { reason: 'unreachable', code: 'SOURCE_UNREACHABLE' } as const;
const DAMAGED = { reason: 'invalid_data', code: 'INPUT_INVALID' } as const;

function brokenOffBy(messages: readonly string[]): string | undefined {
  const broken = messages.findLast((message) => BROKEN_OFF.test(message));
  // This one alone may have been followed by a reconnection; it names the bytes.
  return broken && (messages.findLast((message) => PREMATURE.test(message)) ?? broken);
}

function undecodable({ messages, complaints }: FfmpegEnd, fps: number): string | undefined {
  const otherStream = messages.findLast((message) => OTHER_STREAM.test(message));
  if (otherStream !== undefined) return otherStream;
  const many = Math.max(COMPLAINTS_A_SLOT, FASTEST_SOURCE_FPS / fps);
  if (complaints.count < many || complaints.readMsAfter > HELD_MS) return undefined;
  return `what follows cannot be decoded (${complaints.count} complaints of ffmpeg; another codec?): ${complaints.last}`;
}

function shareOf({ readMs, declaredMs }: Pick<FfmpegEnd, 'readMs' | 'declaredMs'>): string {
  const read = `${(readMs / 1000).toFixed(1)} s`;
  if (declaredMs === undefined || declaredMs === 0) return `read ${read}`;
  const percent = Math.min(100, Math.round((100 * readMs) / declaredMs));
  return `read ${read} of ${(declaredMs / 1000).toFixed(1)} s (${percent} %)`;
}
