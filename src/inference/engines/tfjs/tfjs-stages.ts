import type { EngineStages, LoweredPart, LowerPart, SampledClip } from '../../engine-stages.ts';
import type { Weights } from '../../model.ts';
import { continuedLower } from '../../network/continued-lower.ts';
import { countCost } from '../../network/cost.ts';
import type { Network } from '../../network/graph.ts';
import { timeMeansOf, timeShares } from '../../network/time-shares.ts';
import { compileLower, compileNetwork, type Cut, type LowerProgram } from './compile-network.ts';
import type { Activation, LayerContext } from './layer.ts';
import { sharesValue, type Step } from './program.ts';
import { readAndFree, readRows, runLower, runSteps } from './run-program.ts';
import type { Tensor, Tensor2D, TensorLibrary } from './tensorflow.ts';

/**
 * The network interpreted node by node on a TensorFlow library, in one layout: [t, h, w, c]; clips
 * of a list one after the other. Weights lie on the device until `release`; an activation is freed
 * as soon as no later node reads it. Between the stages features are rows in main memory.
 * `streams`: also `continued` parts (only where streamGeometry says that the network can).
 */
export function createTfjsStages(
  tf: TensorLibrary,
  network: Network,
  weights: Weights,
  { streams = false }: { readonly streams?: boolean } = {},
): EngineStages {
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
  const programs = {
    padded: lower,
    continued: streams ? compileLower(context, continuedLower(network)) : undefined,
  };
  const readLogits: ReadLogits = (top, shares) => readRows(tf.tidy(() => classify(top, shares)));
  const release = (): Promise<void> => {
    for (const tensor of constants) tensor.dispose();
    constants.clear();
    return Promise.resolve();
  };
  const stages = { maxClips: 1, lower: createLower(tf, network, { programs, cut, readLogits }), release };
  return cut ? { ...stages, upper: createUpper(tf, network, { cut, upper, readLogits }) } : stages;
}

/** The activation of the last layer → logits, with the share of each step in its mean over time. */
type ReadLogits = (top: Activation, shares?: ArrayLike<number>) => ReturnType<typeof readRows>;

function createLower(
  tf: TensorLibrary,
  network: Network,
  {
    programs,
    cut,
    readLogits,
  }: {
    readonly programs: Readonly<Record<LowerPart['left'], LowerProgram | undefined>>;
    readonly cut: Cut | undefined;
    readonly readLogits: ReadLogits;
  },
): EngineStages['lower'] {
  const { inputSteps } = countCost(network);
  const lowerOne = async ({ pixels, frames, left }: LowerPart, signal: AbortSignal): Promise<LoweredPart> => {
    const program = programs[left];
    if (!program) throw new TypeError('the network has no program for continued frames');
    const features = await runLower(tf, program, { pixels, frames, signal });
    return readAndFree(features, async () =>
      cut
        ? {
            features: new Float32Array(await features.data()),
            embeddings: await readRows(tf.tidy(() => cut.embed(features))),
          }
        : {
            features: (await readLogits(features)).data,
            embeddings: { length: inputSteps, size: 0, data: new Float32Array() },
          },
    );
  };
  return async (parts, signal) => {
    const lowered: LoweredPart[] = [];
    for (const part of parts) lowered.push(await lowerOne(part, signal));
    return lowered;
  };
}

function createUpper(
  tf: TensorLibrary,
  network: Network,
  {
    cut,
    upper,
    readLogits,
  }: { readonly cut: Cut; readonly upper: readonly Step[]; readonly readLogits: ReadLogits },
): NonNullable<EngineStages['upper']> {
  const means = timeMeansOf(network);
  const head = means.find(({ op }) => op === 'head');

  const upperOne = async (clip: SampledClip, signal: AbortSignal): Promise<Float32Array> => {
    const shares = means.length > 0 ? timeShares(network, clip.plan.counts) : undefined;
    const values = new Map([[cut.name, tf.tidy(() => sample(tf, clip, cut))]]);
    for (const mean of means) {
      const share = shares?.get(mean.node);
      const name = sharesValue(mean);
      if (share && mean.op === 'gate' && !values.has(name))
        values.set(name, tf.tensor4d(share, [share.length, 1, 1, 1]));
    }
    const top = await runSteps(tf, upper, values, signal);
    return readAndFree(top, async (map) => (await readLogits(map, head && shares?.get(head.node))).data);
  };
  return async (clips, signal) => {
    const logits: Float32Array[] = [];
    for (const clip of clips) logits.push(await upperOne(clip, signal));
    return logits;
  };
}

/** kept [b, h, w, c] = plan [b × t] · features [t × h·w·c]. */
function sample(
  tf: TensorLibrary,
  { features, plan: { weights, outputLength, inputLength } }: SampledClip,
  { shape: [, height, width, channels] }: Cut,
): Activation {
  const plan = tf.tensor2d(weights, [outputLength, inputLength]);
  const rows: Tensor2D = tf.tensor2d(features, [inputLength, height * width * channels]);
  return tf.reshape(tf.matMul(plan, rows), [outputLength, height, width, channels]);
}
