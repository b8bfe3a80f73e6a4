import { engineSpecOf } from '../../app/engine-spec.ts';
import { samplerOptions, type ModelChoice } from '../../app/model-choice.ts';
import { ActionstreamError } from '../../core/errors.ts';
import type { FrameFit, Model } from '../../inference/model.ts';
import { looksLikePath, userModels } from '../../inference/weights/find-model.ts';
import { openModel } from '../../inference/worker/spec.ts';
import type { SamplerOptions } from '../../sampler/index.ts';
import type { TeachRequest } from './types.ts';

/** A trained network without its classifier, and how it will sample. */
export interface Backbone {
  readonly model: Model;
  readonly picture?: FrameFit;
  /** What an engine is to open: the outputs are the features. */
  readonly choice: ModelChoice;
  /** The first keeps all steps; then the model's own, and one that keeps fewer. */
  readonly samplers: readonly [SamplerOptions, ...SamplerOptions[]];
  /** The taught model's own. */
  readonly sampler: SamplerOptions;
}

/** How much wider the bins of the coarser sampler are. */
const COARSER = 2;

/**
 * The backbone of a request. Where it samples and neither flags nor model say otherwise, kept steps
 * see themselves at the edges and weigh as many steps as they stand for: a head that never saw that
 * arithmetic loses what sampling leaves (ADR 0036).
 * @throws ActionstreamError USAGE for a network without weights, MODEL_INVALID
 */
export async function openBackbone({
  backbone,
  sampler: asked,
  headsOnly,
  fit,
}: TeachRequest): Promise<Backbone> {
  const { model: given } = engineSpecOf(backbone);
  if (given.kind !== 'file') {
    throw new ActionstreamError(
      'USAGE',
      `--backbone ${backbone.model}: a network without weights has nothing to teach from; name a trained model, such as ` +
        'i3d-kinetics400 (actionstream models pull i3d-kinetics400) or s3d-g-atfr',
    );
  }
  if (headsOnly && looksLikePath(backbone.model)) {
    throw new ActionstreamError(
      'USAGE',
      `--heads-only: a model of heads finds its backbone by name; put the folder ${backbone.model} into ${userModels()}, and name it`,
    );
  }
  const own = (await openModel(given)).manifest;
  if (headsOnly && own.weights.base) {
    throw new ActionstreamError(
      'USAGE',
      `--heads-only: ${own.id} is a head itself; take its backbone: --backbone ${own.weights.base.model}`,
    );
  }
  const sampler = samplerOptions(asked, own.sampler);
  const { temporalEdge = 'edge', timeMeans = 'multiplicity' } = own.network;
  const arithmetic = sampler.kind === 'none' ? {} : { temporalEdge, timeMeans };
  const network = { ...backbone.network, ...arithmetic, classifier: false };
  const choice = { ...backbone, network };
  const model = await openModel({ ...given, network: { ...given.network, ...network } });
  const picture = pictureOf(own.picture, fit);
  return {
    ...{ model, choice, samplers: [{ kind: 'none' }, ...sampled(sampler)], sampler },
    ...(picture && { picture }),
  };
}

/**
 * Stretched, the whole frame is seen; cropped, as much of its middle as the backbone's own scale leaves.
 */
function pictureOf(own: FrameFit | undefined, fit: FrameFit['fit'] | undefined): FrameFit | undefined {
  if (fit === undefined || fit === own?.fit) return own;
  return { fit, scale: 1 };
}

function sampled(sampler: SamplerOptions): readonly SamplerOptions[] {
  if (sampler.kind === 'none') return [];
  return sampler.kind === 'ordered' && sampler.width > 0
    ? [sampler, { ...sampler, width: COARSER * sampler.width }]
    : [sampler];
}
