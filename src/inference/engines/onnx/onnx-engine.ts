import { monotonicMs } from '../../../core/time.ts';
import { engineInfoOf } from '../../engine-info.ts';
import type { InferenceEngine } from '../../engine.ts';
import { createHalvesEngine, warmUp } from '../../halves-engine.ts';
import type { Model } from '../../model.ts';
import { buildNetwork } from '../../network/build.ts';
import { countCost } from '../../network/cost.ts';
import { settleReuse, type ReuseOptions } from '../../stream/reuse-settings.ts';
import { bindWeights } from '../../weights/bind-weights.ts';
import { buildGraphs } from './build-graphs.ts';
import { openSessions } from './sessions.ts';

export interface OnnxEngineOptions {
  readonly model: Model;
  /** Threads inside one operator; ONNX Runtime takes one a core where absent. */
  readonly threads?: number;
  /** How clips of a stream share steps; null: they do not. */
  readonly reuse?: ReuseOptions | null;
}

/**
 * ONNX Runtime on the CPU, running graphs that we write from the network description. Computes on the calling thread
 * (its `run` blocks), so a service puts it into a worker. Returns warmed up: the first clip costs what later ones do.
 * @throws ActionstreamError MODEL_INVALID where the weights do not fit; ENGINE_UNAVAILABLE where the runtime is missing
 */
export async function createOnnxEngine({
  model,
  threads,
  reuse: sharing = {},
}: OnnxEngineOptions): Promise<InferenceEngine> {
  const startedMs = monotonicMs();
  const { activation, network: options, id } = model.manifest;
  const network = buildNetwork(options);
  const { frames, height, width } = network.options;
  const { weights } = bindWeights(network, model.weights, id);
  const settled = sharing && settleReuse(network, sharing);
  const reuse = settled && 'streams' in settled ? settled : undefined;
  const halves = await openSessions(buildGraphs(network, weights, { streams: reuse !== undefined }), {
    pixelShape: [frames, height, width, 3],
    steps: countCost(network).inputSteps,
    ...(threads !== undefined && { threads }),
  });
  await warmUp(halves, network.options, reuse?.streams.geometry);
  const warmupMs = monotonicMs() - startedMs;
  const info = engineInfoOf(model, { engine: 'onnx', device: 'cpu', warmupMs });
  return createHalvesEngine({
    info: { ...info, ...(reuse && { reuse: reuse.info }) },
    activation,
    network,
    halves,
    runtime: 'ONNX Runtime',
    ...(reuse && { reuse: reuse.streams }),
  });
}
