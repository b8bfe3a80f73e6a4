import type { FileTime, VideoSegment } from '../core/frame.ts';
import { runFfmpeg } from './run-ffmpeg.ts';

interface Cut {
  readonly ffmpegPath: string;
  /** File that is written. */
  readonly to: string;
  readonly signal: AbortSignal;
}

/** Beyond it, what lies between two segments is a hole, and not the rounding of their times. */
const HOLE_MS = 100;
const MP4 = ['-an', '-sn', '-dn', '-c', 'copy', '-movflags', '+faststart', '-f', 'mp4'];
const JPEG = ['-an', '-sn', '-dn', '-frames:v', '1', '-q:v', '3', '-f', 'mjpeg'];

/** Whole segments as one clip: it begins with a key frame, and over a hole its last frame stands still. */
export function clipOfSegments(
  segments: readonly VideoSegment[],
  { ffmpegPath, to, signal }: Cut,
): Promise<void> {
  const list = segments.flatMap((segment, at) => {
    const next = segments[at + 1];
    const isHole = next !== undefined && next.fromMs - segment.toMs > HOLE_MS;
    const lengthMs = (isHole ? next.fromMs : segment.toMs) - segment.fromMs;
    return [`file 'file:${quoted(segment.path)}'`, `duration ${(lengthMs / 1000).toFixed(6)}`];
  });
  // Safari asks for this tag of H.265; others take either.
  const tag = segments[0]?.codec === 'hevc' ? ['-tag:v', 'hvc1'] : [];
  const input = ['-f', 'concat', '-safe', '0', '-protocol_whitelist', 'pipe,fd,file', '-i', 'pipe:0'];
  return runFfmpeg(ffmpegPath, [...input, '-map', '0:v:0', ...MP4.slice(0, -2), ...tag, '-f', 'mp4', to], {
    input: ['ffconcat version 1.0', ...list, ''].join('\n'),
    signal,
  });
}

/** The first frame of the segment from `atMs` on. */
export function snapshotOfSegment(
  { path, fromMs, toMs }: VideoSegment,
  atMs: number,
  { ffmpegPath, to, signal }: Cut,
): Promise<void> {
  // Its last frames may lie before the end by the distance of frames.
  const atS = Math.max(0, Math.min(atMs - fromMs, toMs - fromMs - LAST_FRAME_MS)) / 1000;
  const select = `select='gte(t-start_t,${(atS - ROUNDING_S).toFixed(3)})'`;
  return runFfmpeg(ffmpegPath, ['-i', path, '-map', '0:v:0', '-vf', select, ...JPEG, to], { signal });
}

const LAST_FRAME_MS = 250;
/** Of the times of frames, in a container that counts in milliseconds. */
const ROUNDING_S = 0.002;

/** [fromMs, toMs) of a file. It is copied from the key frame before; players begin at `fromMs`. */
export function clipOfFile(
  time: FileTime,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  { ffmpegPath, to, signal }: Cut,
): Promise<void> {
  const args = [...seek(time, fromMs), '-t', ((toMs - fromMs) / 1000).toFixed(3), '-i', `file:${time.path}`];
  return runFfmpeg(ffmpegPath, [...args, '-map', '0:v:0', ...MP4, to], { signal });
}

/** The first frame of a file from `atMs` on. */
export function snapshotOfFile(time: FileTime, atMs: number, { ffmpegPath, to, signal }: Cut): Promise<void> {
  const args = [...seek(time, atMs - 1000 * ROUNDING_S), '-i', `file:${time.path}`];
  return runFfmpeg(ffmpegPath, [...args, '-map', '0:v:0', ...JPEG, to], { signal });
}

/** By the file's own clock, which need not begin at 0. */
function seek({ fromMs, sourceUs }: FileTime, atMs: number): readonly string[] {
  return ['-seek_timestamp', '1', '-ss', Math.max(0, sourceUs / 1e6 + (atMs - fromMs) / 1000).toFixed(3)];
}

function quoted(file: string): string {
  return file.replaceAll("'", "'\\''");
}
