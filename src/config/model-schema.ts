import { ENGINE_KINDS, PROVIDERS, WITHOUT_GPU } from '../inference/engine-choice.ts';
import {
  choice,
  flag,
  fromOne,
  notNegative,
  positive,
  section,
  similarity,
  text,
  upTo,
  wait,
  wholeBetween,
  wholeFrom,
} from './fields.ts';

export const modelSchema = section(
  {
    path: text(
      'A trained model: its folder, `manifest.json`, `.safetensors` file, or the name of a shipped one. Default: `s3d-g-atfr`.',
    ).optional(),
    network: text(
      'Instead of `path`: a network of the S3D family with random weights, such as `s3d-g`. Its labels mean nothing.',
    ).optional(),
    frames: wholeBetween([1, 1024], "Frames a clip. Default: the model's own.").optional(),
    size: wholeBetween(
      [1, 2048],
      "Height and width of the input in pixels. Default: the model's own.",
    ).optional(),
    seed: wholeBetween([0, 2 ** 31 - 1], '`network` only: seed of the random weights. Default 0.').optional(),
    classes: wholeBetween([1, 100_000], '`network` only: number of classes.').optional(),
    width: upTo(4, '`network` only: width multiplier of all channels.').optional(),
    padding: choice(['symmetric', 'same'], '`network` only: padding of convolutions and pools.').optional(),
    stem: choice(['separable', 'dense'], '`network` only: form of the first convolution.').optional(),
    input: choice(['rgb', 'motion'], '`network` only: what the first convolution sees.').optional(),
    gate_bias: flag('`network` only: self-gating with bias.').optional(),
  },
  'The network and its weights: `path` or `network`.',
);

const samplerShape = {
  kind: choice(
    ['none', 'uniform', 'reference', 'ordered'],
    "How time steps are grouped. Default: the model's own.",
  ).optional(),
  width: notNegative('`ordered`: bin width δ in embedding distance. Larger keeps fewer steps.').optional(),
  noise_floor: notNegative('`ordered`: moves no larger than this count as none.').optional(),
  anchor: choice(
    ['clip', 'stream'],
    '`ordered`: where bins begin. `stream`: clips of a stream that stay within one bin share its map, which is computed once; needs `engine.reuse`. Default: `clip`, each clip by itself.',
  ).optional(),
  representative: choice(
    ['mean', 'middle'],
    '`ordered`: what stands for a group of steps: their weighted mean (default), or the middle one alone, which no motion blurs.',
  ).optional(),
  min_steps: wholeFrom(
    1,
    '`ordered`: kept steps of a clip in which some step moves farther than `noise_floor`, at least. Default 1.',
  ).optional(),
  stride: wholeFrom(1, '`uniform`: every n-th step is kept.').optional(),
  bins: wholeFrom(1, '`reference`: number of bins. Default: as many as steps.').optional(),
  kernel: choice(
    ['linear', 'linear_normalized', 'delta', 'delta_normalized'],
    '`reference`: how steps are weighed within a bin.',
  ).optional(),
  distance: choice(['l2', 'l1'], 'Norm of the embedding distance.').optional(),
};

/** Without what belongs to the network, which all streams share. */
export const streamSamplerSchema = section(
  samplerShape,
  'Temporal sampling of this stream, in place of `sampler`.',
);

export const samplerSchema = section(
  {
    ...samplerShape,
    after: text('Layer after which time steps are sampled, such as `Conv_2b`.').optional(),
    embedding_size: wholeBetween(
      [1, 65_536],
      'Size of a learned embedding. Default: pooled features, which need no weights.',
    ).optional(),
    similarity: similarity(
      "By what steps are compared. `grid:N`: local means of N×N cells; the cell that moves most counts, relative to the picture's contrast. `grid:N:K`: the mean of the K that move most. `global`: the whole picture at once. Default: the model's own.",
    ).optional(),
    temporal_edge: choice(
      ['zero', 'edge'],
      "What temporal convolutions above the layer see before the first and behind the last kept step: zeros, or that step again. Default: the model's own.",
    ).optional(),
    time_means: choice(
      ['plain', 'multiplicity'],
      'Means over time above the layer: every kept step alike, or by how many steps it stands for. Default: `multiplicity` where `temporal_edge: edge` is set.',
    ).optional(),
  },
  'Adaptive temporal sampling: which time steps of a clip the upper half of the network sees.',
);

export const engineSchema = section(
  {
    kind: choice(
      ENGINE_KINDS,
      'What computes the network. `tfjs`: TensorFlow, native where `npm run setup:tfjs` has built it, else WebAssembly.',
    ).default('onnx'),
    provider: choice(
      PROVIDERS,
      'Where it computes. Default: `cpu` for `onnx`, `auto` for `tfjs`. `auto`: a GPU if there is one. `wasm`, `js`: `tfjs` without native code.',
    ).optional(),
    without_gpu: choice(
      WITHOUT_GPU,
      'Where the provider needs a GPU that cannot be used: stop with what is missing, or compute on the CPU and log a warning. Default: `cpu` under `auto`, else `fail`.',
    ).optional(),
    clip_timeout: wait(
      '100ms',
      'An engine that gives no answer for so long is ended and replaced, and its clip tried once more. Default: 20 times its warm-up, at least 1m.',
    ).optional(),
    processes: wholeBetween(
      [1, 64],
      'Engines that run side by side, each in a process with the network in its memory. Default: one a stream, at most one a core and 8.',
    ).optional(),
    threads: wholeBetween(
      [1, 1024],
      'CPU threads of one inference. Default: the cores, shared by the processes.',
    ).optional(),
    reuse: flag(
      'Overlapping clips of a stream share the time steps below the SGS layer: each is computed once. false: each clip by itself.',
    ).default(true),
    repeat_threshold: notNegative(
      'A picture that differs from the one shown last by no more than this counts as the same and is not computed again: mean absolute difference of its bytes, 0 to 255. 0: only identical pictures. Above 0 scores depend a little on what came before; needs `reuse`.',
    ).default(0),
    batch: section(
      {
        max_clips: wholeBetween(
          [1, 256],
          'Clips of different streams that an engine computes at once, at most. Only `onnx`; meant for GPUs, and not measured on one yet (docs/gpu.md).',
        ).default(1),
        max_wait: wait(
          '0s',
          'An idle engine waits no longer for more clips, counted from when the oldest one was ready. It does not wait where no other stream could bring one.',
        ).prefault('10ms'),
      },
      'Clips of several streams in one call of the network.',
    ).prefault({}),
    budget: section(
      {
        multiply_adds_per_second: positive(
          'What live streams may cost together. Default: no limit.',
        ).optional(),
        p95_latency: wait(
          '100ms',
          'From the last frame of a clip to its scores, 95 of 100 clips. Default: the length of a clip.',
        ).optional(),
        max_delta_scale: fromOne(
          'δ of sampler `ordered` is raised to so many times its value at most; 1: never.',
        ).default(4),
      },
      'What live streams may cost: δ is raised before clips are dropped. Files that are not `realtime` keep their δ.',
    ).prefault({}),
  },
  'Where the network runs.',
);
