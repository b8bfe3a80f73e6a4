import { shapesOf } from './cost.ts';
import type { Network, NetworkNode } from './graph.ts';
import { axisMode, axisPadding } from './padding.ts';

/**
 * The share of each step in the means over time above the cut, by the name of the node that takes
 * the mean; each sums to one.
 */
export type TimeShares = ReadonlyMap<string, Float32Array>;

/**
 * A mean over time above the cut, and the times that the steps have been strided before it: nodes
 * of one level have the same shares.
 */
export interface TimeMean {
  readonly node: string;
  readonly level: number;
  readonly op: 'gate' | 'head';
}

/** The gates above the cut and the head, where their means are weighted by multiplicity; else none. */
export function timeMeansOf(network: Network): readonly TimeMean[] {
  if (network.options.timeMeans !== 'multiplicity') return [];
  const levels = new Map<string, number>();
  const means: TimeMean[] = [];
  for (const node of network.nodes) {
    const level = node.op === 'sgs' ? 0 : levels.get(inputsOf(node)[0] ?? '');
    if (level === undefined) continue;
    levels.set(node.name, level + (stridesTime(node) ? 1 : 0));
    if (node.op === 'gate' || node.op === 'head') means.push({ node: node.name, level, op: node.op });
  }
  return means;
}

/**
 * Shares for kept steps that stand for `counts` input steps. A step behind a stride stands for all
 * those that it strides over. A gate weighs each step by what it stands for. So does the head, but
 * for its sliding window of two steps, in which the first and the last of a dense network's steps
 * weigh half: the kept steps take up their parts of that time, so that a dense clip has the
 * published mean, and runs of equal steps the same as if they were spelt out.
 */
export function timeShares(network: Network, counts: ArrayLike<number>): TimeShares {
  const standing = new Map<string, readonly number[]>();
  const shares = new Map<string, Float32Array>();
  for (const node of network.nodes) {
    const before = node.op === 'sgs' ? Array.from(counts) : standing.get(inputsOf(node)[0] ?? '');
    if (before === undefined) continue;
    standing.set(node.name, stridesTime(node) ? strided(before, node) : before);
    if (node.op === 'gate') shares.set(node.name, plainShares(before));
    if (node.op === 'head') {
      const whole = node.pooling === 'whole';
      const steps = shapesOf(network).get(node.input)?.[0] ?? 1;
      shares.set(node.name, whole ? plainShares(before) : slidingShares(before, steps));
    }
  }
  return shares;
}

type Strided = Extract<NetworkNode, { readonly op: 'conv' | 'max_pool' }>;

function stridesTime(node: NetworkNode): node is Strided {
  return (node.op === 'conv' || node.op === 'max_pool') && node.stride[0] > 1;
}

function strided(counts: readonly number[], { kernel, stride, padding }: Strided): readonly number[] {
  const [step] = stride;
  const { out } = axisPadding(axisMode(padding, 0), counts.length, kernel[0], step);
  return Array.from({ length: out }, (_, i) => sum(counts.slice(i * step, (i + 1) * step)));
}

function plainShares(counts: readonly number[]): Float32Array {
  const total = sum(counts);
  return Float32Array.from(counts, (count) => count / total);
}

/**
 * The integral of the dense network's weights, of which the first and last of `steps` are half as
 * high, over each part of the time.
 */
function slidingShares(counts: readonly number[], steps: number): Float32Array {
  if (steps === 1) return plainShares(counts);
  const total = sum(counts);
  const before = (at: number): number => {
    const halves = Math.min(at, 1) + Math.max(0, at - (steps - 1));
    return (at - halves / 2) / (steps - 1);
  };
  let at = 0;
  return Float32Array.from(counts, (count) => {
    const from = before((at / total) * steps);
    at += count;
    return before((at / total) * steps) - from;
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function inputsOf(node: NetworkNode): readonly string[] {
  if ('inputs' in node) return node.inputs;
  return 'input' in node ? [node.input] : [];
}
