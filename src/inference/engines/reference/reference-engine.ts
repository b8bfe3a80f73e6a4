import { setImmediate } from 'node:timers/promises';
import { ActionstreamError } from '../../../core/errors.ts';
import { monotonicMs } from '../../../core/time.ts';
import { planSampling, type SamplingPlan } from '../../../sampler/index.ts';
import { checkClip } from '../../check-clip.ts';
import { checkSamplerFits } from '../../check-sampler.ts';
import { createComputeAccounting } from '../../compute-stats.ts';
import { engineInfoOf } from '../../engine-info.ts';
import type { InferenceEngine, InferenceResult, InferOptions, PixelClip } from '../../engine.ts';
import type { Model, Weights } from '../../model.ts';
import { buildNetwork } from '../../network/build.ts';
import { countCost } from '../../network/cost.ts';
import type { Network, NetworkNode } from '../../network/graph.ts';
import { headWindow } from '../../network/head-window.ts';
import { timeShares, type TimeShares } from '../../network/time-shares.ts';
import { convNames, gateNames, headNames } from '../../network/weight-shapes.ts';
import { scoresOf } from '../../postprocess.ts';
import { settleBoundary } from '../../settle-boundary.ts';
import { createSerialQueue, throwIfAborted } from '../../serial-queue.ts';
import { bindWeights } from '../../weights/bind-weights.ts';
import { applyPlan, embedSteps } from './embed-steps.ts';
import { encodePixels } from './encode-pixels.ts';
import { classify, classifySteps, concatChannels, convBatchNormRelu, maxPool, selfGate } from './ops.ts';
import type { Tensor } from './tensor.ts';

/**
 * The definition of what is correct: every node of the network spelled out in plain loops, float32 activations, float64
 * sums. Slow (seconds for the smallest useful network); for tests and for reading.
 * @throws ActionstreamError MODEL_INVALID where the weights do not fit the network
 */
export function createReferenceEngine(model: Model): InferenceEngine {
  const network = buildNetwork(model.manifest.network);
  const { weights } = bindWeights(network, model.weights, model.manifest.id);
  const info = engineInfoOf(model, { engine: 'reference', device: 'cpu', warmupMs: 0 });
  const statsOf = createComputeAccounting(network);
  const queue = createSerialQueue('reference engine');

  const compute = async (
    clip: PixelClip,
    { sampler }: InferOptions,
    signal: AbortSignal,
  ): Promise<InferenceResult> => {
    const { logits, plan, ...times } = await runNetwork({ network, weights, clip, sampler, signal });
    const { outputLength } = plan;
    const { engine, device } = info;
    return {
      clipId: clip.clipId,
      logits,
      scores: scoresOf(logits, model.manifest.activation),
      plan,
      compute: statsOf({ sampler: sampler.kind, keptSteps: outputLength, engine, device, ...times }),
    };
  };

  return {
    info,
    async infer(clip, options) {
      checkClip(clip, info);
      checkSamplerFits(network, options.sampler);
      return queue.run((signal) => compute(clip, options, signal), options.signal);
    },
    [Symbol.asyncDispose]: () => queue.close(),
  };
}

interface NetworkRun {
  readonly network: Network;
  readonly weights: Weights;
  readonly clip: PixelClip;
  readonly sampler: InferOptions['sampler'];
  readonly signal: AbortSignal;
}

interface NetworkOutcome {
  readonly logits: Float32Array;
  readonly plan: SamplingPlan;
  readonly lowerMs: number;
  readonly samplerMs: number;
  readonly upperMs: number;
}

async function runNetwork({ network, weights, clip, sampler, signal }: NetworkRun): Promise<NetworkOutcome> {
  const outputs = new Map<string, Tensor>();
  const of = (name: string): Tensor => outputs.get(name)!;
  const value = (name: string): Float32Array => weights.get(name)!.data;
  const startedMs = monotonicMs();
  let cut: { readonly plan: SamplingPlan; readonly fromMs: number; readonly toMs: number } | undefined;

  let shares: TimeShares | undefined;

  for (const node of network.nodes) {
    // Lets an abort come through: all else here is synchronous.
    await setImmediate();
    throwIfAborted(signal);
    switch (node.op) {
      case 'input':
        outputs.set(node.name, encodePixels(clip, node.encoding));
        break;
      case 'conv': {
        const { weight, batchNorm: names } = convNames(node);
        const norm = {
          gamma: value(names.gamma),
          beta: value(names.beta),
          mean: value(names.mean),
          variance: value(names.variance),
          epsilon: node.batchNormEpsilon,
        };
        outputs.set(node.name, convBatchNormRelu(of(node.input), weights.get(weight)!, norm, node));
        break;
      }
      case 'max_pool':
        outputs.set(node.name, maxPool(of(node.input), node));
        break;
      case 'gate': {
        const { weight, bias } = gateNames(node);
        const layer = { weight: value(weight), bias: bias === undefined ? undefined : value(bias) };
        outputs.set(node.name, selfGate(of(node.input), layer, shares?.get(node.name)));
        break;
      }
      case 'concat':
        outputs.set(node.name, concatChannels(node.inputs.map(of)));
        break;
      case 'sgs': {
        const fromMs = monotonicMs();
        const input = of(node.input);
        const readsEmbeddings = sampler.kind !== 'none' && sampler.kind !== 'uniform';
        const embeddings = readsEmbeddings
          ? settleBoundary(network, embedSteps(input, node, weights))
          : { length: input.t, size: 0, data: new Float32Array() };
        const plan = planSampling(embeddings, sampler);
        outputs.set(node.name, sampler.kind === 'none' ? input : applyPlan(plan, input));
        if (network.options.timeMeans === 'multiplicity') shares = timeShares(network, plan.counts);
        cut = { plan, fromMs, toMs: monotonicMs() };
        break;
      }
      case 'head': {
        const input = of(node.input);
        const names = headNames(node);
        const classifier = names && { weight: value(names.weight), bias: value(names.bias) };
        const window = headWindow(node, [input.t, input.h, input.w]);
        const share = shares?.get(node.name);
        const logits = Float32Array.from(
          share ? classifySteps(input, window, classifier, share) : classify(input, window, classifier),
        );
        const endedMs = monotonicMs();
        const { plan, fromMs, toMs } = cut ?? {
          plan: identityPlan(countCost(network).inputSteps),
          fromMs: endedMs,
          toMs: endedMs,
        };
        return {
          logits,
          plan,
          lowerMs: fromMs - startedMs,
          samplerMs: toMs - fromMs,
          upperMs: endedMs - toMs,
        };
      }
    }
    releaseUnused(outputs, network.nodes, node);
  }
  throw new ActionstreamError('INTERNAL', `${network.name} ends without a head`);
}

/** A network without an SGS layer keeps every step that leaves its stem. */
function identityPlan(length: number): SamplingPlan {
  return planSampling({ length, size: 0, data: new Float32Array() }, { kind: 'none' });
}

/** Forgets activations that no node after `done` reads: a dense network's would not fit in memory together. */
function releaseUnused(outputs: Map<string, Tensor>, nodes: readonly NetworkNode[], done: NetworkNode): void {
  const later = nodes.slice(nodes.indexOf(done) + 1);
  const needed = new Set(
    later.flatMap((node) => ('inputs' in node ? node.inputs : 'input' in node ? [node.input] : [])),
  );
  for (const name of outputs.keys()) if (!needed.has(name)) outputs.delete(name);
}
