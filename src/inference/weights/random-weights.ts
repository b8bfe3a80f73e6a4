import { buildNetwork } from '../network/build.ts';
import type { Network, NetworkNode, NetworkOptions } from '../network/graph.ts';
import { convNames, gateNames, headNames, sgsNames, weightShapes } from '../network/weight-shapes.ts';
import type { WeightTensor, Weights } from '../model.ts';
import { createRandomStream } from './random-stream.ts';

const SMALL = 0.01;

/**
 * Weights for a network nobody trained: the same options and seed give the same bits on every
 * machine. Convolutions He-normal (deviation √(2/fan-in)); batch norm β 0, mean 0, variance 1, γ 1,
 * but γ 2 where a gate follows: an untrained gate halves its input, and ten of them in a row would
 * flatten all scores. Gates, SGS and head N(0, 0.01), biases 0.
 */
export function randomWeights(options: Partial<NetworkOptions>, seed: number): Weights {
  const network = buildNetwork(options);
  const fill = fillsOf(network);
  const weights = new Map<string, WeightTensor>();
  for (const [name, shape] of weightShapes(network)) {
    const data = new Float32Array(shape.reduce((product, n) => product * n, 1));
    const rule = fill.get(name) ?? 0;
    if (typeof rule === 'number') {
      data.fill(rule);
    } else {
      const random = createRandomStream(seed, name);
      for (let i = 0; i < data.length; i++) data[i] = random.normal() * rule.deviation;
    }
    weights.set(name, { shape, data });
  }
  return weights;
}

type Fill = number | { readonly deviation: number };

/** How to fill the tensors that are not all zero. */
function fillsOf(network: Network): ReadonlyMap<string, Fill> {
  const gated = new Set(network.nodes.flatMap((node) => (node.op === 'gate' ? [node.input] : [])));
  return new Map(network.nodes.flatMap((node) => fillsOfNode(node, gated)));
}

function fillsOfNode(node: NetworkNode, gated: ReadonlySet<string>): readonly (readonly [string, Fill])[] {
  const small = { deviation: SMALL };
  switch (node.op) {
    case 'conv': {
      const { weight, batchNorm } = convNames(node);
      const fanIn = node.inChannels * node.kernel[0] * node.kernel[1] * node.kernel[2];
      return [
        [weight, { deviation: Math.sqrt(2 / fanIn) }],
        [batchNorm.gamma, gated.has(node.name) ? 2 : 1],
        [batchNorm.variance, 1],
      ];
    }
    case 'gate':
      return [[gateNames(node).weight, small]];
    case 'sgs': {
      const names = sgsNames(node);
      if (!names) return [];
      return [
        [names.hiddenWeight, small],
        [names.outputWeight, small],
        [names.batchNorm.gamma, 1],
        [names.batchNorm.variance, 1],
      ];
    }
    case 'head': {
      const names = headNames(node);
      return names ? [[names.weight, small]] : [];
    }
    case 'input':
    case 'max_pool':
    case 'concat':
      return [];
  }
}
