import type { ConvNode, GateNode, HeadNode, Network, NetworkNode, SgsNode } from './graph.ts';

type ShapeEntry = readonly [name: string, shape: readonly number[]];

/**
 * Every tensor that a network demands, by name, shaped as PyTorch does: convolutions [out, in, kt,
 * kh, kw], fully connected layers [out, in], all else [channels]. Node order; the same names in
 * every weights file of ours.
 */
export function weightShapes(network: Network): ReadonlyMap<string, readonly number[]> {
  return new Map(network.nodes.flatMap(shapesOfNode));
}

/** Tensor names of a batch norm under `prefix`. */
function batchNormNames(prefix: string) {
  return {
    gamma: `${prefix}.bn.weight`,
    beta: `${prefix}.bn.bias`,
    mean: `${prefix}.bn.running_mean`,
    variance: `${prefix}.bn.running_var`,
  } as const;
}

export type BatchNormNames = ReturnType<typeof batchNormNames>;

export function convNames(node: ConvNode) {
  return { weight: `${node.name}.weight`, batchNorm: batchNormNames(node.name) } as const;
}

/** `bias` only where the gate has one. */
export function gateNames(node: GateNode) {
  return { weight: `${node.name}.weight`, bias: node.bias ? `${node.name}.bias` : undefined } as const;
}

/** Undefined where the embedding is not learned: it has no weights. */
export function sgsNames(node: SgsNode) {
  if (node.embedding.kind !== 'learned') return undefined;
  return {
    hiddenWeight: `${node.name}.fc1.weight`,
    hiddenBias: `${node.name}.fc1.bias`,
    outputWeight: `${node.name}.fc2.weight`,
    outputBias: `${node.name}.fc2.bias`,
    batchNorm: batchNormNames(node.name),
    /** ⌊C/2⌋ */
    hidden: Math.floor(node.channels / 2),
    size: node.embedding.size,
  } as const;
}

/** Undefined where the head has no classifier. */
export function headNames(node: HeadNode) {
  if (!node.classifier) return undefined;
  return { weight: `${node.name}.weight`, bias: `${node.name}.bias` } as const;
}

function shapesOfNode(node: NetworkNode): readonly ShapeEntry[] {
  switch (node.op) {
    case 'conv': {
      const names = convNames(node);
      return [
        [names.weight, [node.outChannels, node.inChannels, ...node.kernel]],
        ...batchNormShapes(names.batchNorm, node.outChannels),
      ];
    }
    case 'gate': {
      const { weight, bias } = gateNames(node);
      const matrix: ShapeEntry = [weight, [node.channels, node.channels]];
      return bias === undefined ? [matrix] : [matrix, [bias, [node.channels]]];
    }
    case 'sgs': {
      const names = sgsNames(node);
      if (!names) return [];
      const { hidden, size } = names;
      return [
        [names.hiddenWeight, [hidden, node.channels]],
        [names.hiddenBias, [hidden]],
        [names.outputWeight, [size, hidden]],
        [names.outputBias, [size]],
        ...batchNormShapes(names.batchNorm, size),
      ];
    }
    case 'head': {
      const names = headNames(node);
      if (!names) return [];
      const { weight, bias } = names;
      return [
        [weight, [node.classes, node.inChannels]],
        [bias, [node.classes]],
      ];
    }
    case 'input':
    case 'max_pool':
    case 'concat':
      return [];
  }
}

function batchNormShapes(names: BatchNormNames, channels: number): readonly ShapeEntry[] {
  return [
    [names.gamma, [channels]],
    [names.beta, [channels]],
    [names.mean, [channels]],
    [names.variance, [channels]],
  ];
}
