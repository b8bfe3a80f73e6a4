import { monotonicMs } from '../../../core/time.ts';
import { createEngine } from '../../create-engine.ts';
import { openDevice, type DeviceChoice } from '../../engine-choice.ts';
import type { EngineCore } from '../../engine-core.ts';
import { engineInfoOf } from '../../engine-info.ts';
import type { EngineInfo, InferenceEngine } from '../../engine.ts';
import type { Model } from '../../model.ts';
import { buildNetwork } from '../../network/build.ts';
import { createStagedCore } from '../../staged-core.ts';
import { resolveReuse, type ReuseOptions } from '../../stream/reuse-settings.ts';
import { warmUp } from '../../warm-up.ts';
import { bindWeights } from '../../weights/bind-weights.ts';
import { findBlockSize } from './blocked/block-size.ts';
import { buildGraphs, fitsBlocks } from './build-graphs.ts';
import { openOnnxStages } from './onnx-stages.ts';
import { ONNX_PROVIDERS } from './providers.ts';

export interface OnnxEngineOptions extends DeviceChoice {
  readonly model: Model;
  /** Threads inside one operator; ONNX Runtime takes one a core where absent. */
  readonly threads?: number;
  /** How clips of a stream reuse steps; null: they do not. */
  readonly reuse?: ReuseOptions | null;
  /** Clips that are computed at once, at most; 1: graphs of one clip, a little faster (ADR 0025). */
  readonly maxClips?: number;
}

/**
 * ONNX Runtime, running graphs that we write from the network description. Computes on the calling
 * thread (its `run` blocks), so a service puts it into a process of its own. Returns warmed up: the
 * first clip costs what later ones do.
 * @throws ActionstreamError MODEL_INVALID where the weights do not fit; ENGINE_UNAVAILABLE where
 * the runtime or the device is missing
 */
export async function createOnnxEngine(options: OnnxEngineOptions): Promise<InferenceEngine> {
  return createEngine(await openOnnxCore(options), 'ONNX Runtime engine');
}

export async function openOnnxCore({
  model,
  threads,
  reuse: wantedReuse = {},
  maxClips = 1,
  ...choice
}: OnnxEngineOptions): Promise<EngineCore> {
  const startedMs = monotonicMs();
  const { activation, network: networkOptions, id } = model.manifest;
  const network = buildNetwork(networkOptions);
  const { weights } = bindWeights(network, model.weights, id);
  const reuse = resolveReuse(network, wantedReuse);
  const { opened, notices } = await openDevice(
    ONNX_PROVIDERS.map((provider) => ({
      ...provider,
      open: async () => {
        provider.prepare();
        const blockSize = provider.provider === 'cpu' ? await findBlockSize() : undefined;
        const streams = reuse.settings !== undefined;
        const graphs = buildGraphs(network, weights, { streams, batched: maxClips > 1, blockSize });
        const stages = await openOnnxStages(network, graphs, {
          provider,
          ...(threads !== undefined && { threads }),
          maxClips,
        });
        await warmUp(stages, network, reuse.settings);
        // Blocked operators compute each clip of a batch by itself; others cut their products by
        // the size of all.
        const exact = blockSize !== undefined && fitsBlocks(network, blockSize);
        return { stages, exact, device: provider.device };
      },
    })),
    { engine: 'onnx', ...choice },
  );
  const { stages, exact, device } = opened;
  const warmupMs = monotonicMs() - startedMs;
  const info: EngineInfo = {
    ...engineInfoOf(model, { engine: 'onnx', device, warmupMs, notices }),
    ...reuse.info,
    ...(maxClips > 1 && { batch: { maxClips, exact } }),
  };
  return createStagedCore({
    ...{ info, activation, network, stages },
    reuse: reuse.settings,
    runtime: 'ONNX Runtime',
  });
}
