import { monotonicMs } from '../../../core/time.ts';
import { engineInfoOf } from '../../engine-info.ts';
import { openDevice, type DeviceChoice } from '../../engine-choice.ts';
import type { InferenceEngine } from '../../engine.ts';
import { createHalvesEngine, releasing, warmUp } from '../../halves-engine.ts';
import type { Model } from '../../model.ts';
import { buildNetwork } from '../../network/build.ts';
import { countCost } from '../../network/cost.ts';
import { settleReuse, type ReuseOptions } from '../../stream/reuse-settings.ts';
import { bindWeights } from '../../weights/bind-weights.ts';
import { findBlockSize } from './blocked/block-size.ts';
import { buildGraphs, fitsBlocks, type Graphs } from './build-graphs.ts';
import { ONNX_PROVIDERS } from './providers.ts';
import { openSessions } from './sessions.ts';
import { sharesOf } from './shares-of.ts';

export interface OnnxEngineOptions extends DeviceChoice {
  readonly model: Model;
  /** Threads inside one operator; ONNX Runtime takes one a core where absent. */
  readonly threads?: number;
  /** How clips of a stream share steps; null: they do not. */
  readonly reuse?: ReuseOptions | null;
  /** Clips that are computed at once, at most; 1: graphs of one clip, a little faster (ADR 0025). */
  readonly maxClips?: number;
}

/**
 * ONNX Runtime, running graphs that we write from the network description. Computes on the calling thread
 * (its `run` blocks), so a service puts it into a worker. Returns warmed up: the first clip costs what later ones do.
 * @throws ActionstreamError MODEL_INVALID where the weights do not fit; ENGINE_UNAVAILABLE where the runtime or the device is missing
 */
export async function createOnnxEngine({
  model,
  threads,
  reuse: sharing = {},
  maxClips = 1,
  ...choice
}: OnnxEngineOptions): Promise<InferenceEngine> {
  const startedMs = monotonicMs();
  const { activation, network: options, id } = model.manifest;
  const network = buildNetwork(options);
  const { frames, height, width } = network.options;
  const { weights } = bindWeights(network, model.weights, id);
  const settled = sharing && settleReuse(network, sharing);
  const reuse = settled && 'streams' in settled ? settled : undefined;
  const reuseUnfit = settled && 'unfit' in settled ? settled.unfit : undefined;
  const graphsFor = (blockSize: number | undefined): Graphs =>
    buildGraphs(network, weights, { streams: reuse !== undefined, batched: maxClips > 1, blockSize });
  const { opened, notices } = await openDevice(
    ONNX_PROVIDERS.map((device) => ({
      ...device,
      open: async () => {
        device.prepare();
        const blockSize = device.provider === 'cpu' ? await findBlockSize() : undefined;
        // Blocked operators compute each clip of a batch by itself; others cut their products by the size of all.
        const exact = blockSize !== undefined && fitsBlocks(network, blockSize);
        const halves = await openSessions(graphsFor(blockSize), {
          pixelShape: [frames, height, width, 3],
          steps: countCost(network).inputSteps,
          sharesOf: sharesOf(network),
          provider: device,
          ...(threads !== undefined && { threads }),
          ...(maxClips > 1 && { batch: { maxClips, exact } }),
        });
        await warmUp(halves, network.options, reuse?.streams.geometry).catch(releasing(halves));
        return { halves, device: device.device };
      },
    })),
    { engine: 'onnx', ...choice },
  );
  const { halves, device } = opened;
  const warmupMs = monotonicMs() - startedMs;
  const info = engineInfoOf(model, { engine: 'onnx', device, warmupMs, notices });
  return createHalvesEngine({
    info: {
      ...info,
      ...(reuse && { reuse: reuse.info }),
      ...(reuseUnfit !== undefined && { reuseUnfit }),
      ...(halves.batch && { batch: { maxClips, exact: halves.batch.exact } }),
    },
    activation,
    network,
    halves,
    runtime: 'ONNX Runtime',
    ...(reuse && { reuse: reuse.streams }),
  });
}
