import { z } from 'zod';
import { median } from '../core/median.ts';
import { ActionstreamError } from '../core/errors.ts';
import { LONG_KEY_INTERVAL_S, noteOfKeyFrames, noteOfRawStream, noteOfStill } from './source-notes.ts';

/** What a source sends, as found by looking at it; unknown values are absent. */
export interface SourceReport {
  /** The address without secrets. */
  readonly source: string;
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** What the container or the camera says. */
  readonly declaredFps?: number;
  /** What the packets say: the median distance of their times. */
  readonly measuredFps?: number;
  /** True where the shortest distance between raw frames is less than two thirds of the longest. */
  readonly variableFrameRate?: boolean;
  /** Longest distance between keyframes seen. */
  readonly keyframeIntervalMs?: number;
  /** Whole length; files only. */
  readonly durationMs?: number;
  /** What is unusual about it and what that means for a run; absent where nothing is. */
  readonly notes?: readonly string[];
}

const probeSchema = z.object({
  packets: z.array(z.object({ pts_time: z.string().optional(), flags: z.string().optional() })).default([]),
  streams: z
    .array(
      z.object({
        codec_name: z.string().default('unknown'),
        width: z.number().default(0),
        height: z.number().default(0),
        avg_frame_rate: z.string().optional(),
        sample_aspect_ratio: z.string().optional(),
      }),
    )
    .default([]),
  format: z.object({ duration: z.string().optional(), format_name: z.string().default('') }).prefault({}),
});

/**
 * Parses ffprobe's JSON; undefined where it holds no video stream.
 * @throws INPUT_INVALID where it is no report
 */
export function parseProbe(json: string, source: string): SourceReport | undefined {
  const { packets, streams, format } = parseReport(json, source);
  const [stream] = streams;
  if (!stream) return undefined;
  const timed = packets.flatMap(({ pts_time: time, flags = '' }) =>
    time === undefined ? [] : [{ seconds: Number(time), key: flags.startsWith('K') }],
  );
  timed.sort((a, b) => a.seconds - b.seconds);
  const steps = distances(timed.map(({ seconds }) => seconds));
  const keyTimes = timed.filter(({ key }) => key).map(({ seconds }) => seconds);
  const keySteps = distances(keyTimes);
  const spanS = (timed.at(-1)?.seconds ?? 0) - (keyTimes[0] ?? 0);
  const notes = [
    ...noteOfTimes(format.format_name, packets.length, timed.length),
    ...notesOfKeyFrames(keySteps, spanS),
    ...noteOfShape(stream.sample_aspect_ratio),
  ];
  return {
    source,
    codec: stream.codec_name,
    width: stream.width,
    height: stream.height,
    ...known('declaredFps', parseRate(stream.avg_frame_rate)),
    ...known('measuredFps', steps.length > 0 ? round(1 / median(steps)) : undefined),
    ...(steps.length > 0 ? { variableFrameRate: Math.min(...steps) < 0.66 * Math.max(...steps) } : {}),
    ...known(
      'keyframeIntervalMs',
      keySteps.length > 0 ? Math.round(Math.max(...keySteps) * 1000) : undefined,
    ),
    ...known(
      'durationMs',
      format.duration === undefined ? undefined : Math.round(Number(format.duration) * 1000),
    ),
    ...(notes.length > 0 && { notes }),
  };
}

function noteOfTimes(format: string, packets: number, timed: number): readonly string[] {
  const note = noteOfStill(format, packets) ?? noteOfRawStream(format);
  if (note !== undefined) return [note];
  if (packets > 0 && timed === 0)
    return ['its packets carry no times: times are counted from the frame rate'];
  return [];
}

function notesOfKeyFrames(steps: readonly number[], spanS: number): readonly string[] {
  const longest = steps.length > 0 ? Math.max(...steps) : spanS;
  if (longest <= LONG_KEY_INTERVAL_S) return [];
  return [noteOfKeyFrames(`${steps.length > 0 ? '' : 'more than '}${longest.toFixed(1)} s`)];
}

function noteOfShape(ratio: string | undefined): readonly string[] {
  const [x = 1, y = 1] = (ratio ?? '1:1').split(':').map(Number);
  if (x === y || !(x > 0) || !(y > 0)) return [];
  return [`its pixels are not square (${x}:${y}); fit \`crop\` keeps the shape of the display`];
}

function parseReport(json: string, source: string): z.output<typeof probeSchema> {
  try {
    return probeSchema.parse(JSON.parse(json));
  } catch (cause) {
    const problem = `${source}: ffprobe gave a report that cannot be read; check that it belongs to the ffmpeg in use`;
    throw new ActionstreamError('INPUT_INVALID', problem, { cause });
  }
}

function distances(ascending: readonly number[]): number[] {
  return ascending
    .slice(1)
    .map((time, index) => time - (ascending[index] ?? time))
    .filter((step) => step > 0);
}

/** `30000/1001` → 29.97; `0/0` → undefined. */
function parseRate(rate: string | undefined): number | undefined {
  const [numerator = NaN, denominator = 1] = (rate ?? '').split('/').map(Number);
  return round(numerator / denominator);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function known<Key extends string>(key: Key, value: number | undefined): Partial<Record<Key, number>> {
  return value === undefined || !Number.isFinite(value) ? {} : ({ [key]: value } as Record<Key, number>);
}
