import { ActionstreamError } from '../../core/errors.ts';
import type { ActionEvent } from '../../core/records.ts';
import { EngineScheduler } from '../../inference/scheduler/engine-scheduler.ts';
import { runStream } from '../../pipeline/run-stream.ts';
import { createStreamJob } from '../../pipeline/stream-job.ts';
import { streamSettingsOf } from '../../app/stream-settings.ts';
import { noteLogger } from './note-logger.ts';
import type { EvaluationSetup, ScoredWindow } from './types.ts';
import { scoredWindow } from './score-windows.ts';

/** A video as `run` sees it. Times are seconds from its first frame. */
export interface WatchedVideo {
  readonly durationS: number;
  readonly events: readonly WatchedEvent[];
  readonly windows: readonly ScoredWindow[];
}

interface WatchedEvent {
  readonly labelId: number;
  readonly label: string;
  readonly startS: number;
  readonly endS: number;
  readonly peak: number;
  readonly mean: number;
}

/**
 * Runs a video through the same job that `run` makes of it: windows, episodes and thresholds have one
 * home. Records go nowhere but into the result.
 * @throws ActionstreamError where it cannot be read, or a clip could not be inferred
 */
export async function watchVideo(
  path: string,
  setup: EvaluationSetup,
  signal: AbortSignal,
): Promise<WatchedVideo> {
  const { engine, settings, ffmpegPath, version, onNote } = setup;
  const ended: ActionEvent[] = [];
  const windows: ScoredWindow[] = [];
  let originMs: number | undefined;
  const job = createStreamJob(
    streamSettingsOf({ ...settings, streamId: path, url: path }, engine.info, ffmpegPath),
    {
      scheduler: new EngineScheduler([engine]),
      pipeline: { instance: 'evaluate', version },
      log: { append: () => Promise.resolve() },
      recordStatus: () => undefined,
      logger: noteLogger(path, onNote),
      observer: {
        onClip(clip, result) {
          originMs ??= clip.startedAtMs;
          windows.push(scoredWindow(clip, originMs, result));
        },
        onEvents(events) {
          ended.push(...events.filter(({ state }) => state === 'ended'));
        },
      },
    },
  );
  const { error, totals } = await runStream(job, signal);
  signal.throwIfAborted();
  if (error) throw error;
  if (totals.clipsFailed > 0) {
    throw new ActionstreamError(
      'ENGINE_FAILED',
      `${path}: ${totals.clipsFailed} of its clips could not be inferred`,
    );
  }
  if (windows.length === 0) throw new ActionstreamError('SOURCE_NO_VIDEO', `${path}: holds no frame`);
  const sinceOrigin = (time: string): number => (Date.parse(time) - (originMs ?? 0)) / 1000;
  return {
    durationS: Math.max(...windows.map(({ endS }) => endS)),
    events: ended.map(({ label, label_id, started_at, ended_at = started_at, score }) => ({
      labelId: label_id,
      label,
      startS: sinceOrigin(started_at),
      endS: sinceOrigin(ended_at),
      peak: score.peak,
      mean: score.mean,
    })),
    windows,
  };
}
