import { ActionstreamError } from '../../core/errors.ts';
import type { WeightTensor, Weights } from '../model.ts';
import type { Network } from '../network/graph.ts';
import { weightShapes } from '../network/weight-shapes.ts';

export interface BoundWeights {
  /** Exactly the tensors that the network demands, in its order. */
  readonly weights: Weights;
  /** Names that the network has no use for. */
  readonly unused: readonly string[];
}

/** Problems named in one error; the rest is counted. */
const NAMED = 5;

/**
 * Checks that `weights` hold every tensor of `network` with its shape and finite values. `origin`
 * names the file in errors.
 * @throws ActionstreamError MODEL_INVALID with dotted path, shape found and shape wanted
 */
export function bindWeights(network: Network, weights: Weights, origin: string): BoundWeights {
  const shapes = weightShapes(network);
  const bound = new Map<string, WeightTensor>();
  const problems: string[] = [];
  for (const [name, shape] of shapes) {
    const tensor = weights.get(name);
    const problem = problemOf(tensor, shape);
    if (problem !== undefined) problems.push(`${name}: ${problem}`);
    else if (tensor) bound.set(name, tensor);
  }
  if (problems.length > 0) {
    const rest = problems.length - NAMED;
    const list = problems.slice(0, NAMED).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
    throw new ActionstreamError(
      'MODEL_INVALID',
      `${origin}: ${problems.length} of ${shapes.size} tensors do not fit ${network.name}: ${list}`,
    );
  }
  return { weights: bound, unused: [...weights.keys()].filter((name) => !shapes.has(name)) };
}

function problemOf(tensor: WeightTensor | undefined, wanted: readonly number[]): string | undefined {
  if (!tensor) return `missing, wanted [${wanted.join(', ')}]`;
  const { shape, data } = tensor;
  if (shape.length !== wanted.length || shape.some((n, axis) => n !== wanted[axis])) {
    return `found [${shape.join(', ')}], wanted [${wanted.join(', ')}]`;
  }
  const count = wanted.reduce((product, n) => product * n, 1);
  if (data.length !== count) return `found ${data.length} values, wanted ${count}`;
  const bad = data.findIndex((value) => !Number.isFinite(value));
  return bad < 0 ? undefined : `value ${bad} is ${data[bad]!}, wanted finite numbers`;
}
