import { configFromSources, resolveStream, type StreamSettings } from '../../config/index.ts';
import { toActionstreamError } from '../../core/errors.ts';
import { readClipList } from '../../datasets/read-clip-list.ts';
import type { LabelledClip } from '../../datasets/types.ts';
import { computeFigures } from '../../evaluation/compute-figures.ts';
import { datasetFigures, type DatasetFigures, type FiguresContext } from '../../evaluation/report.ts';
import type { ScoredExample, WatchedExample, Work } from '../../evaluation/results.ts';
import type { InferenceEngine } from '../../inference/engine.ts';
import { findFfmpeg } from '../../ingest/index.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import { samplerFromFlags, type ModelChoice } from '../model-choice.ts';
import { planEvaluation, type PlannedDataset } from './plan.ts';
import { openPredictions, type PredictionLog } from './predictions.ts';
import { reversedEngine } from './reversed-engine.ts';
import { scoreClips } from './score-clips.ts';
import type {
  EvaluationObserver,
  EvaluationReport,
  EvaluationRequest,
  EvaluationSetup,
  VideoFailure,
} from './types.ts';
import { watchVideo } from './watch-video.ts';

export interface EvaluationContext {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  openEngine(choice: ModelChoice): Promise<InferenceEngine>;
}

/**
 * Scores every clip of a list and adds up the figures of each data set. A video that cannot be evaluated is told and
 * left out; what would fail every video (list, model, ffmpeg, engine, interrupt) is thrown.
 */
export async function evaluate(
  request: EvaluationRequest,
  observer: EvaluationObserver,
  context: EvaluationContext,
  signal: AbortSignal,
): Promise<EvaluationReport> {
  const { clips, absent } = await readClipList({ ...request, path: request.data });
  const ffmpeg = await findFfmpeg(context.env);
  await using opened = await context.openEngine(request.model);
  const engine = request.order === 'reversed' ? reversedEngine(opened) : opened;
  const { info } = engine;
  const sampler = samplerFromFlags(request.sampler, info.sampler);
  const settings = streamSettings(request, sampler, context.env);
  const plan = planEvaluation(clips, request, info);
  await using predictions = await openPredictions(request.predictions);

  const onNote = (note: string): void => {
    observer.onNote(note);
  };
  observer.onReady(
    info,
    plan.datasets.reduce((sum, { videos }) => sum + videos.size, 0),
  );
  plan.notes.forEach(onNote);
  if (absent.length > 0)
    onNote(`${absent.length} videos of the list are not there, e.g. ${absent[0]?.name ?? ''}`);

  const { views } = request;
  const setup = {
    engine,
    settings,
    sampler,
    views,
    ffmpegPath: ffmpeg.path,
    version: context.version,
    onNote,
  };
  const figuresContext = figuresContextOf(setup, request.seed);
  const datasets: [string, DatasetFigures][] = [];
  const failed: VideoFailure[] = [];
  const work: Work[] = [];
  for (const dataset of plan.datasets) {
    const results = await evaluateDataset(dataset, { setup, observer, predictions, signal });
    failed.push(...results.failed);
    work.push(...results.work);
    const counts = { videos: dataset.videos.size - results.failed.length, left_out: dataset.leftOut };
    const figures = datasetFigures(dataset, { ...results, counts }, figuresContext);
    if (figures) datasets.push([dataset.name, figures]);
  }
  const compute = computeFigures(work);
  return {
    model: info.model,
    engine: info.engine,
    device: info.device,
    sampler,
    ...(request.split !== undefined && { split: request.split }),
    order: request.order,
    datasets: Object.fromEntries(datasets),
    ...(compute && { compute }),
    failed,
    absent: absent.length,
  };
}

/** What `run --source` would use for a video, with the flags that `evaluate` shares with it. */
function streamSettings(
  { sampler: flags, window }: EvaluationRequest,
  { kind }: SamplerOptions,
  env: EvaluationContext['env'],
): StreamSettings {
  const overrides = { defaults: { kind: 'file', window } };
  const [stream] = configFromSources(['video'], { env, overrides }).streams;
  if (!stream) throw new RangeError('a source makes a stream');
  const { delta, noiseFloor, stride, bins, kernel, distance } = flags;
  const given = Object.entries({ delta, noiseFloor, stride, bins, kernel, distance });
  const options = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  return { ...stream, sampler: { sampler: kind, ...options } };
}

function figuresContextOf({ engine, settings, ffmpegPath }: EvaluationSetup, seed: number): FiguresContext {
  const { labels } = engine.info;
  const { policies, defaultPolicy } = resolveStream(settings, engine.info, ffmpegPath).episodes;
  return { labels, seed, thresholdOf: (id) => policies[labels[id] ?? '']?.on ?? defaultPolicy.on };
}

interface DatasetRun {
  readonly setup: EvaluationSetup;
  readonly observer: EvaluationObserver;
  readonly predictions: PredictionLog;
  readonly signal: AbortSignal;
}

interface Measured {
  readonly clips: readonly ScoredExample[];
  readonly watched: readonly WatchedExample[];
  readonly work: readonly Work[];
}

/** Failures that the next video would meet as well. */
const HOPELESS: ReadonlySet<string> = new Set([
  'ABORTED',
  'FFMPEG_MISSING',
  'ENGINE_UNAVAILABLE',
  'CONFIG_INVALID',
  'SAMPLER_INVALID',
]);

async function evaluateDataset(
  dataset: PlannedDataset,
  run: DatasetRun,
): Promise<Measured & { readonly failed: readonly VideoFailure[] }> {
  const measured: Measured[] = [];
  const failed: VideoFailure[] = [];
  for (const [path, clips] of dataset.videos) {
    const name = clips[0]?.name ?? path;
    try {
      measured.push(await evaluateVideo(path, clips, dataset, run));
      run.observer.onVideo(name);
    } catch (error) {
      run.signal.throwIfAborted();
      const { code, message } = toActionstreamError(error);
      if (HOPELESS.has(code)) throw error;
      const failure = { dataset: dataset.name, path: name, code, message };
      failed.push(failure);
      run.observer.onVideo(name, failure);
    }
  }
  return {
    clips: measured.flatMap((one) => one.clips),
    watched: measured.flatMap((one) => one.watched),
    work: measured.flatMap((one) => one.work),
    failed,
  };
}

async function evaluateVideo(
  path: string,
  clips: readonly LabelledClip[],
  { task, settled }: PlannedDataset,
  { setup, predictions, signal }: DatasetRun,
): Promise<Measured> {
  const { labels } = setup.engine.info;
  const group = clips[0]?.group ?? path;
  if (task.kind === 'events' || task.kind === 'cost') {
    const video = await watchVideo(path, setup, signal);
    await predictions.video(clips, video, labels);
    const truth = clips.flatMap(({ labels: names, startS = 0, endS = video.durationS }) =>
      (settled.truthOf(names) ?? []).map((labelId) => ({ labelId, startS, endS })),
    );
    const watched = { group, durationS: video.durationS, truth, found: video.events };
    return { clips: [], watched: [watched], work: video.windows.map(({ work }) => work) };
  }
  const examples: ScoredExample[] = [];
  const work: Work[] = [];
  for await (const scored of scoreClips(path, clips, setup, signal)) {
    await predictions.clip(scored, labels);
    const truth = settled.truthOf(scored.clip.labels) ?? [];
    examples.push({ group: scored.clip.group ?? path, truth, scores: scored.scores });
    work.push(...scored.work);
  }
  return { clips: examples, watched: [], work };
}
