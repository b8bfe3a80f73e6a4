import path from 'node:path';
import type { VideoSegment } from '../core/frame.ts';
import type { FrameAssembler } from './frame-assembler.ts';
import type { WrittenSegment } from './stderr-reader.ts';

/** The last packets before an end are written, and not decoded any more. */
const MOST_BEHIND_US = 2_000_000;
/** Decoding follows the packets by less; beyond it the clock of the source jumped within the segment. */
const MOST_APART_US = 10_000_000;

/**
 * A segment that ffmpeg has written, in event time. The newest frame says how far the two clocks are apart;
 * they drift by milliseconds within a segment. One that cannot be placed covers no time.
 */
export function videoSegment(
  { name, startS, endS }: WrittenSegment,
  {
    ringDir,
    codec = 'unknown',
    newest,
  }: {
    readonly ringDir: string;
    readonly codec: string | undefined;
    readonly newest: FrameAssembler['newest'];
  },
): VideoSegment {
  const segment = { path: path.join(ringDir, name), codec };
  const [startUs, endUs] = [startS * 1e6, endS * 1e6];
  if (!newest || newest.sourceUs < startUs - MOST_BEHIND_US || newest.sourceUs > endUs + MOST_APART_US)
    return { ...segment, fromMs: 0, toMs: 0 };
  const offsetMs = newest.capturedAtMs - newest.sourceUs / 1000;
  return { ...segment, fromMs: startUs / 1000 + offsetMs, toMs: endUs / 1000 + offsetMs };
}
