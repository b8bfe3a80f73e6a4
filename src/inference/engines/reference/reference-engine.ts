import type { EngineCore } from '../../engine-core.ts';
import { engineInfoOf } from '../../engine-info.ts';
import type { EngineStages, LoweredPart, LowerPart, SampledClip } from '../../engine-stages.ts';
import type { Model, Weights } from '../../model.ts';
import { buildNetwork } from '../../network/build.ts';
import { countCost, shapesOf } from '../../network/cost.ts';
import type { Network, SgsNode } from '../../network/graph.ts';
import { timeShares } from '../../network/time-shares.ts';
import { createStagedCore } from '../../staged-core.ts';
import { bindWeights } from '../../weights/bind-weights.ts';
import { applyPlan, embedSteps } from './embed-steps.ts';
import { encodePixels } from './encode-pixels.ts';
import { runNodes } from './run-nodes.ts';

/**
 * The definition of what is correct: every node of the network spelled out in plain loops, float32
 * activations, float64 sums. Slow (seconds for the smallest useful network); for tests and for
 * reading.
 * @throws ActionstreamError MODEL_INVALID where the weights do not fit the network
 */
export function openReferenceCore(model: Model): EngineCore {
  const { network: options, activation, id } = model.manifest;
  const network = buildNetwork(options);
  const { weights } = bindWeights(network, model.weights, id);
  const info = engineInfoOf(model, { engine: 'reference', device: 'cpu', warmupMs: 0 });
  const stages = createReferenceStages(network, weights);
  return createStagedCore({ info, activation, network, stages, runtime: 'reference engine' });
}

function createReferenceStages(network: Network, weights: Weights): EngineStages {
  const sgs = network.nodes.find((node) => node.op === 'sgs');
  return {
    maxClips: 1,
    lower: (parts, signal) => inTurn(parts, (part) => runLower({ network, weights, sgs }, part, signal)),
    ...(sgs && {
      upper: (clips, signal) => inTurn(clips, (clip) => runUpper({ network, weights, sgs }, clip, signal)),
    }),
    release: () => Promise.resolve(),
  };
}

async function inTurn<A, B>(items: readonly A[], compute: (item: A) => Promise<B>): Promise<readonly B[]> {
  const outputs: B[] = [];
  for (const item of items) outputs.push(await compute(item));
  return outputs;
}

interface Part {
  readonly network: Network;
  readonly weights: Weights;
  readonly sgs: SgsNode | undefined;
}

async function runLower(
  { network, weights, sgs }: Part,
  { pixels, frames }: LowerPart,
  signal: AbortSignal,
): Promise<LoweredPart> {
  const [input, ...others] = network.nodes;
  if (input?.op !== 'input') throw new RangeError(`${network.name} has no input`);
  const { height, width } = network.options;
  const encoded = encodePixels({ frames, height, width, data: pixels }, input.encoding);
  const below = sgs ? others.slice(0, others.indexOf(sgs)) : others;
  const output = await runNodes(below, { weights, signal, outputs: new Map([[input.name, encoded]]) });
  const embeddings = sgs
    ? embedSteps(output, sgs, weights)
    : { length: countCost(network).inputSteps, size: 0, data: new Float32Array() };
  return { features: output.data, embeddings };
}

async function runUpper(
  { network, weights, sgs }: Part & { readonly sgs: SgsNode },
  { features, plan }: SampledClip,
  signal: AbortSignal,
): Promise<Float32Array> {
  const [t, h, w, c] = shapesOf(network).get(sgs.name)!;
  const kept = applyPlan(plan, { t, h, w, c, data: features });
  const above = network.nodes.slice(network.nodes.indexOf(sgs) + 1);
  const weighted = network.options.timeMeans === 'multiplicity';
  const shares = weighted ? timeShares(network, plan.counts) : undefined;
  const { data } = await runNodes(above, { weights, signal, shares, outputs: new Map([[sgs.name, kept]]) });
  return data;
}
