import { readFile } from 'node:fs/promises';

/** A window of `evaluate --predictions`. Times are seconds from the video's first frame. */
export interface PredictedWindow {
  readonly segment: number;
  readonly start_s: number;
  readonly end_s: number;
  /** One a label of the model. */
  readonly scores: readonly number[];
}

/** A short clip. */
export interface PredictedClip {
  readonly dataset: string;
  readonly path: string;
  readonly windows: readonly PredictedWindow[];
}

/** A long video, with the actions in it and the episodes that were reported. */
export interface PredictedVideo extends PredictedClip {
  readonly group?: string;
  readonly duration_s: number;
  readonly truth: readonly {
    readonly labels: readonly string[];
    readonly start_s?: number;
    readonly end_s?: number;
  }[];
  readonly events: readonly { readonly label: string; readonly start_s: number; readonly end_s: number }[];
}

/** What `evaluate --predictions` wrote, in its order. */
export async function readPredictions(file: string): Promise<{
  readonly clips: readonly PredictedClip[];
  readonly videos: readonly PredictedVideo[];
}> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  const all = lines.map((line) => JSON.parse(line) as PredictedClip | PredictedVideo);
  return {
    clips: all.filter((one) => !('events' in one)),
    videos: all.filter((one): one is PredictedVideo => 'events' in one),
  };
}
