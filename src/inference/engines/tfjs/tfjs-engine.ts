import { monotonicMs } from '../../../core/time.ts';
import type { EngineCore } from '../../engine-core.ts';
import { engineInfoOf } from '../../engine-info.ts';
import type { Model } from '../../model.ts';
import { buildNetwork } from '../../network/build.ts';
import { createStagedCore } from '../../staged-core.ts';
import { resolveReuse, type ReuseOptions } from '../../stream/reuse-settings.ts';
import { warmUp } from '../../warm-up.ts';
import { bindWeights } from '../../weights/bind-weights.ts';
import { openTensorFlow, type TensorFlowOptions } from './tensorflow.ts';
import { createTfjsStages } from './tfjs-stages.ts';

export interface TfjsEngineOptions extends TensorFlowOptions {
  readonly model: Model;
  /** How clips of a stream reuse steps; null: they do not. */
  readonly reuse?: ReuseOptions | null;
}

/**
 * TensorFlow, running the node list of the network directly. Which library and device it found,
 * `info` tells. Native code computes on the calling thread, so a service puts it into a process of
 * its own. Returns warmed up.
 * @throws ActionstreamError MODEL_INVALID where the weights do not fit; ENGINE_UNAVAILABLE where no
 * allowed device is there
 */
export async function openTfjsCore({
  model,
  reuse: wantedReuse = {},
  ...options
}: TfjsEngineOptions): Promise<EngineCore> {
  const startedMs = monotonicMs();
  const { activation, network: networkOptions, id } = model.manifest;
  const network = buildNetwork(networkOptions);
  const { weights } = bindWeights(network, model.weights, id);
  const reuse = resolveReuse(network, wantedReuse);
  const { opened, notices } = await openTensorFlow(options);
  const streams = reuse.settings !== undefined;
  const stages = createTfjsStages(opened.tf, network, weights, { streams });
  await warmUp(stages, network, reuse.settings);
  const warmupMs = monotonicMs() - startedMs;
  const info = engineInfoOf(model, { engine: 'tfjs', device: opened.device, warmupMs, notices });
  return createStagedCore({
    info: { ...info, ...reuse.info },
    ...{ activation, network, stages },
    reuse: reuse.settings,
    runtime: 'TensorFlow',
  });
}
