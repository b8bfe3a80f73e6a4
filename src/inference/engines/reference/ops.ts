import type { WeightTensor } from '../../model.ts';
import type { Padding } from '../../network/graph.ts';
import { axisMode, axisPadding } from '../../network/padding.ts';
import type { Triple } from '../../network/stages.ts';
import { zeros, type Tensor } from './tensor.ts';

export interface Window {
  readonly kernel: Triple;
  readonly stride: Triple;
  readonly padding: Padding;
  /** See ConvNode. */
  readonly repeatsEdges?: true;
}

/** γ, β, running mean and variance, [c] each. */
export interface BatchNorm {
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly epsilon: number;
}

/**
 * ReLU(batchNorm(conv(x, weight))), weight [out, in, kt, kh, kw], no bias; padding is zero, in time
 * perhaps the step on the edge.
 */
export function convBatchNormRelu(
  input: Tensor,
  weight: WeightTensor,
  norm: BatchNorm,
  window: Window,
): Tensor {
  const [outChannels, inChannels] = weight.shape as [number, number, ...Triple];
  const taps = window.kernel[0] * window.kernel[1] * window.kernel[2];
  const output = outputOf(input, window, outChannels);
  const sums = new Float64Array(outChannels);
  forEachPosition(input, output, window, (position, covered) => {
    sums.fill(0);
    for (const { tap, offset } of covered) {
      for (let i = 0; i < inChannels; i++) {
        const x = input.data[offset + i]!;
        if (x === 0) continue;
        for (let o = 0; o < outChannels; o++) sums[o]! += x * weight.data[(o * inChannels + i) * taps + tap]!;
      }
    }
    for (let o = 0; o < outChannels; o++) {
      output.data[position + o] = Math.max(0, normalise(sums[o]!, norm, o));
    }
  });
  return output;
}

export function normalise(x: number, norm: BatchNorm, channel: number): number {
  const deviation = Math.sqrt(norm.variance[channel]! + norm.epsilon);
  return ((x - norm.mean[channel]!) / deviation) * norm.gamma[channel]! + norm.beta[channel]!;
}

/** The largest value in each window; padding never wins. */
export function maxPool(input: Tensor, window: Window): Tensor {
  const output = outputOf(input, window, input.c);
  forEachPosition(input, output, window, (position, covered) => {
    for (let c = 0; c < input.c; c++) {
      let largest = -Infinity;
      for (const { offset } of covered) largest = Math.max(largest, input.data[offset + c]!);
      output.data[position + c] = largest;
    }
  });
  return output;
}

/**
 * The gate of S3D-G (Xie et al., ECCV 2018, arXiv:1712.04851): σ(W·mean_{t,h,w}(x) + b) ⊙ x, W [c, c].
 * The mean over time is weighted by `shares` where they are given.
 */
export function selfGate(
  input: Tensor,
  { weight, bias }: { readonly weight: Float32Array; readonly bias?: Float32Array | undefined },
  shares?: Float32Array,
): Tensor {
  const mean = shares ? weightedMeans(input, shares) : channelMeans(input);
  const gate = fullyConnected(mean, weight, bias).map((x) => 1 / (1 + Math.exp(-x)));
  const output = zeros(input.t, input.h, input.w, input.c);
  for (let i = 0; i < output.data.length; i++) output.data[i] = input.data[i]! * gate[i % input.c]!;
  return output;
}

export function concatChannels(inputs: readonly Tensor[]): Tensor {
  const [{ t, h, w }] = inputs as readonly [Tensor, ...Tensor[]];
  const channels = inputs.reduce((sum, input) => sum + input.c, 0);
  const output = zeros(t, h, w, channels);
  let first = 0;
  for (const { c, data } of inputs) {
    for (let p = 0; p < t * h * w; p++)
      output.data.set(data.subarray(p * c, (p + 1) * c), p * channels + first);
    first += c;
  }
  return output;
}

/** Mean over space of each step, weighted by its share in time. */
function weightedMeans(input: Tensor, shares: Float32Array): Float64Array {
  const sums = new Float64Array(input.c);
  shares.forEach((share, t) => {
    channelMeans(input, [t, 0, 0], [1, input.h, input.w]).forEach((mean, c) => (sums[c]! += share * mean));
  });
  return sums;
}

/** Each step classified by itself, weighted by its share in time: all is linear. */
export function classifySteps(
  input: Tensor,
  kernel: Triple,
  classifier: Classifier | undefined,
  shares: Float32Array,
): Float64Array {
  const { h, w, c } = input;
  const size = h * w * c;
  const logits = new Float64Array(classifier?.bias.length ?? c);
  shares.forEach((share, t) => {
    const step = { t: 1, h, w, c, data: input.data.subarray(t * size, (t + 1) * size) };
    const values = classify(step, [1, kernel[1], kernel[2]], classifier);
    values.forEach((value, k) => (logits[k]! += share * value));
  });
  return logits;
}

interface Classifier {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** Average over the window sliding by one, then the classifier, if any, then the mean over positions. */
export function classify(input: Tensor, kernel: Triple, classifier?: Classifier): Float64Array {
  const logits = new Float64Array(classifier?.bias.length ?? input.c);
  let positions = 0;
  for (let t = 0; t + kernel[0] <= input.t; t++) {
    for (let y = 0; y + kernel[1] <= input.h; y++) {
      for (let x = 0; x + kernel[2] <= input.w; x++) {
        const pooled = channelMeans(input, [t, y, x], kernel);
        const values = classifier ? fullyConnected(pooled, classifier.weight, classifier.bias) : pooled;
        values.forEach((value, k) => (logits[k]! += value));
        positions++;
      }
    }
  }
  return logits.map((sum) => sum / positions);
}

/** Mean of each channel over a box of the map (default: all of it). */
export function channelMeans(
  input: Tensor,
  [t0, y0, x0]: Triple = [0, 0, 0],
  [lengthT, lengthY, lengthX]: Triple = [input.t, input.h, input.w],
): Float64Array {
  const sums = new Float64Array(input.c);
  for (let t = t0; t < t0 + lengthT; t++) {
    for (let y = y0; y < y0 + lengthY; y++) {
      for (let x = x0; x < x0 + lengthX; x++) {
        const offset = ((t * input.h + y) * input.w + x) * input.c;
        for (let c = 0; c < input.c; c++) sums[c]! += input.data[offset + c]!;
      }
    }
  }
  return sums.map((sum) => sum / (lengthT * lengthY * lengthX));
}

/** weight [out, in] · x + bias. */
export function fullyConnected(x: Float64Array, weight: Float32Array, bias?: Float32Array): Float64Array {
  return Float64Array.from({ length: weight.length / x.length }, (_, o) => {
    let sum = bias ? bias[o]! : 0;
    for (let i = 0; i < x.length; i++) sum += weight[o * x.length + i]! * x[i]!;
    return sum;
  });
}

function outputOf(input: Tensor, { kernel, stride, padding }: Window, channels: number): Tensor {
  const length = (n: number, axis: 0 | 1 | 2): number =>
    axisPadding(axisMode(padding, axis), n, kernel[axis], stride[axis]).out;
  return zeros(length(input.t, 0), length(input.h, 1), length(input.w, 2), channels);
}

/**
 * A tap of the kernel that falls on the map: its number in [kt, kh, kw] order, and where its
 * pixel's channels begin.
 */
interface CoveredTap {
  readonly tap: number;
  readonly offset: number;
}

/** Visits every output position with the taps that do not fall on padding. */
function forEachPosition(
  input: Tensor,
  output: Tensor,
  { kernel: [kt, kh, kw], stride: [st, sh, sw], padding, repeatsEdges }: Window,
  visit: (position: number, covered: readonly CoveredTap[]) => void,
): void {
  const beforeT = axisPadding(axisMode(padding, 0), input.t, kt, st).before;
  const beforeH = axisPadding(axisMode(padding, 1), input.h, kh, sh).before;
  const beforeW = axisPadding(axisMode(padding, 2), input.w, kw, sw).before;
  let position = 0;
  for (let t = 0; t < output.t; t++) {
    for (let y = 0; y < output.h; y++) {
      for (let x = 0; x < output.w; x++) {
        const covered: CoveredTap[] = [];
        for (let tap = 0; tap < kt * kh * kw; tap++) {
          const atT = t * st - beforeT + Math.floor(tap / (kh * kw));
          const inT = repeatsEdges ? Math.min(input.t - 1, Math.max(0, atT)) : atT;
          const inY = y * sh - beforeH + (Math.floor(tap / kw) % kh);
          const inX = x * sw - beforeW + (tap % kw);
          const inside = inT >= 0 && inT < input.t && inY >= 0 && inY < input.h && inX >= 0 && inX < input.w;
          if (inside) covered.push({ tap, offset: ((inT * input.h + inY) * input.w + inX) * input.c });
        }
        visit(position, covered);
        position += output.c;
      }
    }
  }
}
