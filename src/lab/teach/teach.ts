import path from 'node:path';
import { at } from '../../core/at.ts';
import { groupBy } from '../../core/group-by.ts';
import { monotonicMs } from '../../core/time.ts';
import { findFfmpeg } from '../../ingest/index.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import type { EvaluationContext } from '../harness/evaluate.ts';
import { videoSettings } from '../harness/stream-settings.ts';
import { openBackbone, type Backbone } from './backbone.ts';
import { extractFeatures } from './extract-features.ts';
import { openFeatureStore, userFeatures } from './feature-store.ts';
import { headFigures } from './head-figures.ts';
import { readLessons, type Lesson } from './lessons.ts';
import { refuseFull, saveTaught, taughtModel } from './taught-model.ts';
import { labelsOf, teachLabels } from './teach-labels.ts';
import type { ClipFeatures, SamplerFigures, TeachObserver, TeachRecord, TeachRequest } from './types.ts';
import { weakPoints } from './weak-points.ts';

/**
 * A model whose backbone stays as it is and whose head is fitted to a few labelled clips. All input is
 * checked first; the model folder appears whole or not at all.
 * @throws ActionstreamError INPUT_INVALID, USAGE, MODEL_INVALID, ABORTED
 */
export async function teach(
  request: TeachRequest,
  observer: TeachObserver,
  context: EvaluationContext,
): Promise<TeachRecord> {
  const startedMs = monotonicMs();
  await refuseFull(request.out);
  const lessons = await readLessons(request, (note) => {
    observer.onNote(note);
  });
  const backbone = await openBackbone(request);
  if (backbone.samplers.length === 1) {
    observer.onNote(
      'the backbone keeps all steps, and so will the taught model; --sampler ordered --delta D teaches it for fewer',
    );
  }
  const features = await featuresOf(request, backbone, { lessons, observer, context });

  const examples = lessons.map(({ dataset, group, labels }, index) => ({
    ...{ dataset, group, labels },
    features: at(features, index),
  }));
  const taught = teachLabels(examples, labelsOf(examples));
  const id = request.id ?? path.basename(path.resolve(request.out));
  const figures = headFigures(examples, taught, backbone.samplers);
  const sampler = cheapestWithin(figures.samplers, request.tolerance) ?? backbone.sampler;
  const record: TeachRecord = {
    model: id,
    labels: taught.map(({ label }) => label),
    clips: lessons.length,
    groups: new Set(lessons.map(({ group }) => group)).size,
    seconds: Math.round((monotonicMs() - startedMs) / 100) / 10,
    backbone: `${backbone.model.manifest.id} ${backbone.model.manifest.version}`,
    data_sets: [...new Set(lessons.map(({ dataset }) => dataset))],
    ...figures,
    weak_points: weakPoints(taught, figures.label_figures),
  };
  const sources = sourcesOf(lessons, request);
  await saveTaught(
    request.out,
    taughtModel({ ...backbone, sampler }, taught, { request, id, sources }),
    record,
  );
  return record;
}

/**
 * The sampler that keeps fewest steps, of those whose AUC is within the tolerance of that of the first,
 * which keeps all.
 */
function cheapestWithin(
  samplers: readonly SamplerFigures[],
  tolerance: number | undefined,
): SamplerOptions | undefined {
  const dense = samplers[0]?.auc;
  if (tolerance === undefined || dense === undefined) return undefined;
  const good = samplers.filter(({ auc = 0 }) => auc >= dense - tolerance - ROUNDING);
  return good.toSorted((a, b) => a.kept_ratio - b.kept_ratio)[0]?.sampler;
}

/** Figures have four decimals. */
const ROUNDING = 1e-9;

async function featuresOf(
  request: TeachRequest,
  { model, choice, samplers, sampler, picture }: Backbone,
  {
    lessons,
    observer,
    context,
  }: {
    readonly lessons: readonly Lesson[];
    readonly observer: TeachObserver;
    readonly context: EvaluationContext;
  },
): Promise<readonly ClipFeatures[]> {
  const { env, signal } = context;
  const ffmpeg = await findFfmpeg(env);
  const settings = videoSettings(request, sampler, env);
  const { network, clip } = model.manifest;
  const fps = settings.window.fps ?? clip.fps;
  const store = openFeatureStore(request.cache ?? userFeatures(env), {
    ...{ weights: model.digest, network, samplers, fps },
    ...(picture && { picture }),
  });
  await using engine = await context.openEngine(choice);
  return await extractFeatures(lessons, {
    ...{ engine, samplers, store, observer, settings, signal },
    info: { ...engine.info, ...(picture && { frameFit: picture }) },
    ffmpegPath: ffmpeg.path,
    onNote: (note) => {
      observer.onNote(note);
    },
  });
}

function sourcesOf(
  lessons: readonly Lesson[],
  { split }: TeachRequest,
): Parameters<typeof taughtModel>[2]['sources'] {
  return [...groupBy(lessons, ({ dataset }) => dataset)].map(([name, of]) => ({
    name,
    licence: 'as its publisher states; this program knows of none',
    use: `${split === undefined ? '' : `${split}, `}${of.length} clips: the head`,
  }));
}
