import { setImmediate } from 'node:timers/promises';
import { monotonicMs } from '../../../core/time.ts';
import type { Embeddings, SamplingPlan } from '../../../sampler/index.ts';
import type { Halves } from '../../halves-engine.ts';
import type { Weights } from '../../model.ts';
import { countCost } from '../../network/cost.ts';
import type { Network } from '../../network/graph.ts';
import { throwIfAborted } from '../../serial-queue.ts';
import { createEmbedding } from './embedding.ts';
import { createHead } from './head.ts';
import { createInput } from './input.ts';
import type { Activation, LayerContext } from './layer.ts';
import { compile, type Step } from './program.ts';
import type { Tensor, Tensor2D, TensorLibrary } from './tensorflow.ts';

/**
 * The network interpreted node by node on a TensorFlow library, in one layout: [t, h, w, c]. Weights lie on the device
 * until `release`; an activation is freed as soon as no later node reads it.
 */
export function createTfjsHalves(tf: TensorLibrary, network: Network, weights: Weights): Halves {
  const constants = new Set<Tensor>();
  const { encode, lower, cut, upper, classify } = compileNetwork(network, {
    tf,
    weights,
    constant: (data, shape) => {
      const tensor = tf.tensor(data, [...shape]);
      constants.add(tensor);
      return tensor;
    },
  });
  const { frames, height, width } = network.options;
  const { inputSteps } = countCost(network);

  const readLogits = async (input: Activation): Promise<Float32Array> =>
    (await readRows(tf.tidy(() => classify(input)))).data;

  return {
    async run(pixels, planOf, signal) {
      const values = new Map<string, Activation>();
      try {
        const startedMs = monotonicMs();
        const encoded = tf.tidy(() =>
          encode(tf.tensor4d(Float32Array.from(pixels), [frames, height, width, 3])),
        );
        values.set('input', encoded);
        const features = await runSteps(tf, lower, values, signal);
        if (!cut) {
          const plan = planOf({ length: inputSteps, size: 0, data: new Float32Array() });
          const logits = await readLogits(features);
          return { logits, plan, lowerMs: monotonicMs() - startedMs, samplerMs: 0, upperMs: 0 };
        }
        const embeddings = await readRows(tf.tidy(() => cut.embed(features)));
        const loweredMs = monotonicMs();
        await giveWay(signal);
        const samplingMs = monotonicMs();
        const plan = planOf(embeddings);
        const sampledMs = monotonicMs();
        await giveWay(signal);
        const upperMs = monotonicMs();
        const kept = tf.tidy(() => applyPlan(tf, plan, features));
        values.set(cut.name, kept);
        features.dispose();
        const logits = await readLogits(await runSteps(tf, upper, values, signal));
        return {
          logits,
          plan,
          lowerMs: loweredMs - startedMs,
          samplerMs: sampledMs - samplingMs,
          upperMs: monotonicMs() - upperMs,
        };
      } finally {
        for (const value of values.values()) value.dispose();
      }
    },
    release: () => {
      for (const tensor of constants) tensor.dispose();
      constants.clear();
      return Promise.resolve();
    },
  };
}

function compileNetwork(network: Network, context: LayerContext) {
  const { nodes } = network;
  const at = nodes.findIndex((node) => node.op === 'sgs');
  const [first] = nodes;
  const [sgs, head] = [nodes[at], nodes.at(-1)];
  if (first?.op !== 'input' || head?.op !== 'head')
    throw new RangeError(`${network.name} has no input or head`);
  const { encode, scale } = createInput(context, first.encoding);
  const cut = sgs?.op === 'sgs' && { name: sgs.name, embed: createEmbedding(context, sgs) };
  return {
    encode,
    lower: compile(context, network, cut ? nodes.slice(0, at) : nodes, scale),
    cut,
    upper: cut ? compile(context, network, nodes.slice(at + 1), scale) : [],
    classify: createHead(context, head),
  };
}

/** Runs the layers in order and returns the activation of the last one; messages come through between stages. */
async function runSteps(
  tf: TensorLibrary,
  steps: readonly Step[],
  values: Map<string, Activation>,
  signal: AbortSignal,
): Promise<Activation> {
  let stage: string | undefined;
  let last = [...values.values()].at(-1);
  for (const step of steps) {
    if (step.stage !== stage) await giveWay(signal);
    stage = step.stage;
    const inputs = step.inputs.map((name) => valueOf(values, name));
    last = tf.tidy(() => step.layer(...inputs));
    values.set(step.name, last);
    for (const name of step.free) {
      valueOf(values, name).dispose();
      values.delete(name);
    }
  }
  if (!last) throw new RangeError('no activation to go on from');
  return last;
}

/** kept [b, h, w, c] = plan [b × t] · features [t, h, w, c]. */
function applyPlan(
  tf: TensorLibrary,
  { weights, outputLength, inputLength }: SamplingPlan,
  features: Activation,
): Activation {
  const [, height, width, channels] = features.shape;
  const plan = tf.tensor2d(weights, [outputLength, inputLength]);
  const rows: Tensor2D = tf.reshape(features, [inputLength, height * width * channels]);
  return tf.reshape(tf.matMul(plan, rows), [outputLength, height, width, channels]);
}

/** A matrix as it lies in memory; frees the tensor. */
async function readRows(rows: Tensor2D): Promise<Embeddings> {
  const [length, size] = rows.shape;
  try {
    return { length, size, data: Float32Array.from(await rows.data()) };
  } finally {
    rows.dispose();
  }
}

/** Lets an abort come through: the library computes on this thread, and messages wait meanwhile. */
async function giveWay(signal: AbortSignal): Promise<void> {
  await setImmediate();
  throwIfAborted(signal);
}

function valueOf(values: ReadonlyMap<string, Activation>, name: string): Activation {
  const value = values.get(name);
  if (!value) throw new RangeError(`node "${name}" is used before it is computed`);
  return value;
}
