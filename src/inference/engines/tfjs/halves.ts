import { monotonicMs } from '../../../core/time.ts';
import type { SamplingPlan } from '../../../sampler/index.ts';
import type { Halves } from '../../halves-engine.ts';
import type { Weights } from '../../model.ts';
import { continuedLower } from '../../network/continued-lower.ts';
import { countCost } from '../../network/cost.ts';
import type { Network } from '../../network/graph.ts';
import { timeMeansOf, timeShares } from '../../network/time-shares.ts';
import type { StepHalves } from '../../stream/steps.ts';
import { compileLower, compileNetwork, type Cut, type LowerProgram } from './compile-network.ts';
import type { Activation, LayerContext } from './layer.ts';
import { sharesValue, type Step } from './program.ts';
import { giveWay, readAndFree, readRows, runLower, runSteps } from './run-program.ts';
import type { Tensor, Tensor2D, TensorLibrary } from './tensorflow.ts';

/**
 * The network interpreted node by node on a TensorFlow library, in one layout: [t, h, w, c]. Weights lie on the device
 * until `release`; an activation is freed as soon as no later node reads it. `streams`: also the halves one by one, with steps
 * as rows in main memory between them (only where streamGeometry says that the network can).
 */
export function createTfjsHalves(
  tf: TensorLibrary,
  network: Network,
  weights: Weights,
  { streams = false }: { readonly streams?: boolean } = {},
): Halves {
  const constants = new Set<Tensor>();
  const context: LayerContext = {
    tf,
    weights,
    constant: (data, shape) => {
      const tensor = tf.tensor(data, [...shape]);
      constants.add(tensor);
      return tensor;
    },
  };
  const { lower, cut, upper, classify } = compileNetwork(network, context);
  const { frames } = network.options;
  const { inputSteps } = countCost(network);

  const readLogits = async (input: Activation, shares?: ArrayLike<number>): Promise<Float32Array> =>
    (await readRows(tf.tidy(() => classify(input, shares)))).data;
  const runUpper = createUpper(tf, network, { cut, upper, readLogits });

  return {
    async run(pixels, planOf, signal) {
      const startedMs = monotonicMs();
      const features = await runLower(tf, lower, { pixels, frames, signal });
      try {
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
        features.dispose();
        const logits = await runUpper(kept, plan, signal);
        return {
          logits,
          plan,
          lowerMs: loweredMs - startedMs,
          samplerMs: sampledMs - samplingMs,
          upperMs: monotonicMs() - upperMs,
        };
      } finally {
        features.dispose();
      }
    },
    ...(streams && cut && { steps: createSteps(tf, { network, context, lower, cut, runUpper }) }),
    release: () => {
      for (const tensor of constants) tensor.dispose();
      constants.clear();
      return Promise.resolve();
    },
  };
}

/** Kept steps, which are freed, → logits, with the shares that their plan gives them in means over time. */
function createUpper(
  tf: TensorLibrary,
  network: Network,
  {
    cut,
    upper,
    readLogits,
  }: {
    readonly cut: Cut | undefined;
    readonly upper: readonly Step[];
    readonly readLogits: (top: Activation, shares?: ArrayLike<number>) => Promise<Float32Array>;
  },
) {
  const means = timeMeansOf(network);
  return async (kept: Activation, plan: SamplingPlan, signal?: AbortSignal): Promise<Float32Array> => {
    const shares = means.length > 0 ? timeShares(network, plan.counts) : undefined;
    const values = new Map([[cut?.name ?? '', kept]]);
    for (const mean of means) {
      const share = shares?.get(mean.node);
      const name = sharesValue(mean);
      if (share && mean.op === 'gate' && !values.has(name))
        values.set(name, tf.tensor4d(share, [share.length, 1, 1, 1]));
    }
    const head = means.find(({ op }) => op === 'head');
    const top = await runSteps(tf, upper, values, signal);
    return readAndFree(top, (map) => readLogits(map, head && shares?.get(head.node)));
  };
}

/** The halves one by one, for as many frames as come. */
function createSteps(
  tf: TensorLibrary,
  {
    network,
    context,
    lower: padded,
    cut,
    runUpper,
  }: {
    readonly network: Network;
    readonly context: LayerContext;
    readonly lower: LowerProgram;
    readonly cut: Cut;
    readonly runUpper: ReturnType<typeof createUpper>;
  },
): StepHalves {
  const programs = { padded, continued: compileLower(context, continuedLower(network)) };
  const [, height, width, channels] = cut.shape;
  return {
    async lower(pixels, frames, left) {
      const features = await runLower(tf, programs[left], { pixels, frames });
      return readAndFree(features, async () => ({
        features: Float32Array.from(await features.data()),
        embeddings: await readRows(tf.tidy(() => cut.embed(features))),
      }));
    },
    async upper(features, plan) {
      const kept = tf.tidy(() =>
        applyPlan(tf, plan, tf.tensor4d(features, [plan.inputLength, height, width, channels])),
      );
      return runUpper(kept, plan);
    },
  };
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
