/** Rows of a logistic regression. */
export interface LogisticData {
  /** [n × size], row major. */
  readonly rows: Float64Array;
  readonly size: number;
  /** 0 or 1 [n]. */
  readonly targets: Uint8Array;
  /** How often each row counts [n]. */
  readonly weights: Float64Array;
}

interface Point {
  /** [size + 1], the last one the intercept. */
  readonly at: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
}

/** A step and how the gradient changed along it. */
interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly curvature: number;
}

/** Pairs that L-BFGS remembers. */
const MEMORY = 8;
const MOST_STEPS = 500;
/** Largest entry of the gradient at the end, for each unit of weight. */
const TOLERANCE = 1e-6;

/**
 * The coefficients [size + 1], the last one the intercept b, that minimise Σ_i w_i (log(1 + exp(z_i))
 * − y_i z_i) + λ/2 ‖β‖², z = x·β + b: λ is 1/C of scikit-learn. The minimum is unique where λ > 0 and
 * both targets occur. By L-BFGS (Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 3.1).
 * @param start where to begin: the coefficients of a neighbouring λ save most of the steps
 */
export function fitLogistic(
  data: LogisticData,
  lambda: number,
  start: Float64Array = new Float64Array(data.size + 1),
): Float64Array {
  const pointAt = (at: Float64Array): Point => ({ at, ...objective(data, lambda, at) });
  const enough = TOLERANCE * data.weights.reduce((sum, weight) => sum + weight, 0);
  const pairs: Pair[] = [];
  let point = pointAt(start);
  for (let count = 0; count < MOST_STEPS && largest(point.gradient) > enough; count += 1) {
    const next = search(point, direction(point.gradient, pairs), pointAt);
    if (!next) break;
    const step = sum(next.at, point.at, -1);
    const change = sum(next.gradient, point.gradient, -1);
    const curvature = dot(step, change);
    if (curvature > 0) pairs.push({ step, change, curvature });
    if (pairs.length > MEMORY) pairs.shift();
    point = next;
  }
  return point.at;
}

function objective(
  { rows, size, targets, weights }: LogisticData,
  lambda: number,
  at: Float64Array,
): Omit<Point, 'at'> {
  const gradient = new Float64Array(size + 1);
  let value = 0;
  for (let i = 0; i < size; i += 1) {
    value += (lambda / 2) * at[i]! * at[i]!;
    gradient[i] = lambda * at[i]!;
  }
  for (let row = 0; row < targets.length; row += 1) {
    const [from, weight, target] = [row * size, weights[row]!, targets[row]!];
    let z = at[size]!;
    for (let i = 0; i < size; i += 1) z += rows[from + i]! * at[i]!;
    value += weight * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - target * z);
    const slope = weight * (1 / (1 + Math.exp(-z)) - target);
    for (let i = 0; i < size; i += 1) gradient[i]! += slope * rows[from + i]!;
    gradient[size]! += slope;
  }
  return { value, gradient };
}

/** −H·g by the two loops of algorithm 7.4; the first step is the gradient, at most of length one. */
function direction(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  let result = gradient.map((value) => -value);
  const shares = pairs.map(() => 0);
  for (let k = pairs.length - 1; k >= 0; k -= 1) {
    const { step, change, curvature } = pairs[k]!;
    shares[k] = dot(step, result) / curvature;
    result = sum(result, change, -shares[k]!);
  }
  const last = pairs.at(-1);
  const scale = last ? last.curvature / dot(last.change, last.change) : 1 / Math.max(1, length(gradient));
  result = result.map((value) => scale * value);
  pairs.forEach(({ step, change, curvature }, k) => {
    result = sum(result, step, shares[k]! - dot(change, result) / curvature);
  });
  return result;
}

/**
 * Backtracking until the value falls by a share of what the slope promises; undefined where rounding
 * forbids it.
 */
function search(from: Point, towards: Float64Array, pointAt: (at: Float64Array) => Point): Point | undefined {
  const slope = dot(from.gradient, towards);
  for (let stride = 1; stride > 1e-12; stride /= 2) {
    const next = pointAt(sum(from.at, towards, stride));
    if (next.value <= from.value + 1e-4 * stride * slope) return next;
  }
  return undefined;
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i += 1) total += a[i]! * b[i]!;
  return total;
}

function length(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}

/** a + factor·b */
function sum(a: Float64Array, b: Float64Array, factor: number): Float64Array<ArrayBuffer> {
  return a.map((value, i) => value + factor * b[i]!);
}

function largest(a: Float64Array): number {
  return a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
