import { resolveStream } from '../../config/index.ts';
import { readClipList } from '../datasets/read-clip-list.ts';
import { computeFigures } from '../evaluation/compute-figures.ts';
import { datasetFigures, type DatasetFigures, type FiguresContext } from '../evaluation/report.ts';
import type { Work } from '../evaluation/results.ts';
import type { InferenceEngine } from '../../inference/engine.ts';
import { findFfmpeg } from '../../ingest/index.ts';
import { whyNoReuse } from '../../pipeline/clip-context.ts';
import { samplerOptions, type ModelChoice } from '../../app/model-choice.ts';
import { evaluateDataset } from './evaluate-dataset.ts';
import { planEvaluation } from './plan.ts';
import { openPredictions } from './predictions.ts';
import { reversedEngine } from './reversed-engine.ts';
import { videoSettings } from './stream-settings.ts';
import type {
  EvaluationObserver,
  EvaluationReport,
  EvaluationRequest,
  EvaluationSetup,
  VideoFailure,
} from './types.ts';

export interface EvaluationContext {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  openEngine(choice: ModelChoice): Promise<InferenceEngine>;
}

/**
 * Scores every clip of a list and adds up the figures of each data set. A video that cannot be evaluated
 * is reported and left out. What would fail every video (list, model, ffmpeg, engine, interrupt) is
 * thrown.
 */
export async function evaluate(
  request: EvaluationRequest,
  observer: EvaluationObserver,
  context: EvaluationContext,
): Promise<EvaluationReport> {
  const { signal } = context;
  const { clips, absent } = await readClipList({ ...request, path: request.data });
  const ffmpeg = await findFfmpeg(context.env);
  await using opened = await context.openEngine(request.model);
  const engine = request.order === 'reversed' ? reversedEngine(opened) : opened;
  const { info } = engine;
  const sampler = samplerOptions(request.sampler, info.sampler);
  const settings = videoSettings(request, sampler, context.env);
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
  const noReuse = whyNoReuse(info, settings.window.stride);
  if (noReuse !== undefined) onNote(`overlapping windows reuse no steps: ${noReuse}`);
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

function figuresContextOf({ engine, settings, ffmpegPath }: EvaluationSetup, seed: number): FiguresContext {
  const { labels } = engine.info;
  const { policies, defaultPolicy } = resolveStream(settings, engine.info, ffmpegPath).episodes;
  return { labels, seed, thresholdOf: (id) => policies[labels[id] ?? '']?.on ?? defaultPolicy.on };
}
