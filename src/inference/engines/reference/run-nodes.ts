import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../../aborts.ts';
import type { Weights } from '../../model.ts';
import type { NetworkNode } from '../../network/graph.ts';
import { headWindow } from '../../network/head-window.ts';
import type { TimeShares } from '../../network/time-shares.ts';
import { convNames, gateNames, headNames } from '../../network/weight-shapes.ts';
import { classify, classifySteps, concatChannels, convBatchNormRelu, maxPool, selfGate } from './ops.ts';
import type { Tensor } from './tensor.ts';

interface NodeRun {
  readonly weights: Weights;
  /** Activations by the name of their node; those that the nodes read first are there. */
  readonly outputs: Map<string, Tensor>;
  readonly shares?: TimeShares | undefined;
  readonly signal: AbortSignal;
}

/**
 * The activation of the last of the nodes; of the head the logits. @throws ActionstreamError
 * ABORTED between two nodes
 */
export async function runNodes(nodes: readonly NetworkNode[], run: NodeRun): Promise<Tensor> {
  const { outputs, signal } = run;
  let last = [...outputs.values()].at(-1)!;
  for (const node of nodes) {
    // Lets an abort come through: all else here is synchronous.
    await setImmediate();
    throwIfAborted(signal);
    last = runNode(node, run);
    outputs.set(node.name, last);
    releaseUnused(outputs, nodes, node);
  }
  return last;
}

function runNode(node: NetworkNode, { weights, outputs, shares }: NodeRun): Tensor {
  const of = (name: string): Tensor => outputs.get(name)!;
  const value = (name: string): Float32Array => weights.get(name)!.data;
  switch (node.op) {
    case 'conv': {
      const { weight, batchNorm: names } = convNames(node);
      const norm = {
        gamma: value(names.gamma),
        beta: value(names.beta),
        mean: value(names.mean),
        variance: value(names.variance),
        epsilon: node.batchNormEpsilon,
      };
      return convBatchNormRelu(of(node.input), weights.get(weight)!, norm, node);
    }
    case 'max_pool':
      return maxPool(of(node.input), node);
    case 'gate': {
      const { weight, bias } = gateNames(node);
      const layer = { weight: value(weight), bias: bias === undefined ? undefined : value(bias) };
      return selfGate(of(node.input), layer, shares?.get(node.name));
    }
    case 'concat':
      return concatChannels(node.inputs.map(of));
    case 'head': {
      const input = of(node.input);
      const names = headNames(node);
      const classifier = names && { weight: value(names.weight), bias: value(names.bias) };
      const window = headWindow(node, [input.t, input.h, input.w]);
      const share = shares?.get(node.name);
      const logits = share
        ? classifySteps(input, window, classifier, share)
        : classify(input, window, classifier);
      return { t: 1, h: 1, w: 1, c: logits.length, data: Float32Array.from(logits) };
    }
    case 'input':
    case 'sgs':
      throw new RangeError(`node "${node.name}" begins a stage`);
  }
}

/**
 * Forgets activations that no node after `done` reads: a dense network's would not fit in memory
 * together.
 */
function releaseUnused(outputs: Map<string, Tensor>, nodes: readonly NetworkNode[], done: NetworkNode): void {
  const later = nodes.slice(nodes.indexOf(done) + 1);
  const needed = new Set(
    later.flatMap((node) => ('inputs' in node ? node.inputs : 'input' in node ? [node.input] : [])),
  );
  for (const name of outputs.keys()) if (!needed.has(name)) outputs.delete(name);
}
