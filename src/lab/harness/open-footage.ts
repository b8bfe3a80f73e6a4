import type { StreamSettings } from '../../config/index.ts';
import type { Resources } from '../../core/resources.ts';
import type { EngineInfo } from '../../inference/engine.ts';
import { findFfmpeg } from '../../ingest/index.ts';
import type { EvaluationContext } from './evaluate.ts';
import { footageOfFile, optionsOf, type Footage } from './footage.ts';
import { recordStream } from './record-stream.ts';
import type { EvaluationObserver } from './types.ts';

export interface FootageRequest {
  /** Files are read whole, as often as asked; live streams are watched for `durationMs`. */
  readonly sources: readonly StreamSettings[];
  readonly durationMs: number;
}

/** Live streams are recorded side by side, and deleted with `recordings`. */
export async function openFootage(
  { sources, durationMs }: FootageRequest,
  {
    info,
    observer,
    recordings,
    context: { env, signal },
  }: {
    readonly info: EngineInfo;
    readonly observer: Pick<EvaluationObserver, 'onNote'>;
    readonly recordings: Resources;
    readonly context: EvaluationContext;
  },
): Promise<readonly Footage[]> {
  const { path: ffmpegPath } = await findFfmpeg(env);
  const onNote = (note: string): void => {
    observer.onNote(note);
  };
  const watch = async (settings: StreamSettings): Promise<Footage> => {
    onNote(`${settings.streamId}: watching for ${durationMs / 1000} s`);
    const options = optionsOf(settings, info, ffmpegPath);
    const recording = recordings.add(await recordStream(options, { durationMs, signal, onNote }));
    onNote(`${settings.streamId}: ${recording.seconds.toFixed(1)} s of footage`);
    return recording;
  };
  const seen = await Promise.allSettled(
    sources.map((settings) =>
      settings.kind === 'live' ? watch(settings) : Promise.resolve(footageOfFile(settings, ffmpegPath)),
    ),
  );
  // A failure is thrown after the others have ended, so that none is left recording.
  return seen.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}
