import { monotonicMs } from '../../../core/time.ts';
import { engineInfoOf } from '../../engine-info.ts';
import type { InferenceEngine } from '../../engine.ts';
import { createHalvesEngine, releasing, warmUp } from '../../halves-engine.ts';
import type { Model } from '../../model.ts';
import { buildNetwork } from '../../network/build.ts';
import { settleReuse, type ReuseOptions } from '../../stream/reuse-settings.ts';
import { bindWeights } from '../../weights/bind-weights.ts';
import { createTfjsHalves } from './halves.ts';
import { openTensorFlow, type TensorFlowOptions } from './tensorflow.ts';

export interface TfjsEngineOptions extends TensorFlowOptions {
  readonly model: Model;
  /** How clips of a stream share steps; null: they do not. */
  readonly reuse?: ReuseOptions | null;
}

/**
 * TensorFlow, running the node list of the network directly. Which library and device it found, `info` tells. Native code
 * computes on the calling thread, so a service puts it into a worker. Returns warmed up.
 * @throws ActionstreamError MODEL_INVALID where the weights do not fit; ENGINE_UNAVAILABLE where no allowed device is there
 */
export async function createTfjsEngine({
  model,
  reuse: sharing = {},
  ...options
}: TfjsEngineOptions): Promise<InferenceEngine> {
  const startedMs = monotonicMs();
  const { activation, network: networkOptions, id } = model.manifest;
  const network = buildNetwork(networkOptions);
  const { weights } = bindWeights(network, model.weights, id);
  const settled = sharing && settleReuse(network, sharing);
  const reuse = settled && 'streams' in settled ? settled : undefined;
  const reuseUnfit = settled && 'unfit' in settled ? settled.unfit : undefined;
  const { opened, notices } = await openTensorFlow(options);
  const halves = createTfjsHalves(opened.tf, network, weights, { streams: reuse !== undefined });
  await warmUp(halves, network.options, reuse?.streams.geometry).catch(releasing(halves));
  const warmupMs = monotonicMs() - startedMs;
  const info = engineInfoOf(model, { engine: 'tfjs', device: opened.device, warmupMs, notices });
  return createHalvesEngine({
    info: { ...info, ...(reuse && { reuse: reuse.info }), ...(reuseUnfit !== undefined && { reuseUnfit }) },
    activation,
    network,
    halves,
    runtime: 'TensorFlow',
    ...(reuse && { reuse: reuse.streams }),
  });
}
