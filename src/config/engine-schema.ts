import { ENGINE_KINDS, PROVIDERS, WITHOUT_GPU } from '../inference/engine-choice.ts';
import {
  choice,
  flag,
  fromOne,
  notNegative,
  positive,
  section,
  wait,
  wholeBetween,
} from '../settings/fields.ts';
import { asFlag } from '../settings/flags.ts';

export const engineSchema = section(
  {
    kind: asFlag(
      choice(
        ENGINE_KINDS,
        'What computes the network. `tfjs`: TensorFlow, native where `npm run setup:tfjs` has built it, else WebAssembly.',
      ),
      '--engine <kind>',
    ).default('onnx'),
    provider: asFlag(
      choice(
        PROVIDERS,
        'Where it computes. Default: `cpu` for `onnx`, `auto` for `tfjs`. `auto`: a GPU if there is one. `wasm`, `js`: `tfjs` without native code.',
      ),
      '--provider <name>',
    ).optional(),
    without_gpu: asFlag(
      choice(
        WITHOUT_GPU,
        'Where the provider needs a GPU that cannot be used: stop with what is missing, or compute on the CPU and log a warning. Default: `cpu` under `auto`, else `fail`.',
      ),
      '--without-gpu <deed>',
    ).optional(),
    clip_timeout: wait(
      '100ms',
      'An engine that gives no answer for so long is ended and replaced, and its clip tried once more. Default: 20 times its warm-up, at least 1m.',
    ).optional(),
    processes: wholeBetween(
      [1, 64],
      'Engines that run side by side, each in a process with the network in its memory. Default: one a stream, at most one a core and 8.',
    ).optional(),
    threads: asFlag(
      wholeBetween([1, 1024], 'CPU threads of one inference. Default: the cores, shared by the processes.'),
      '--threads <n>',
    ).optional(),
    reuse: asFlag(
      flag(
        'Overlapping clips of a stream share the time steps below the SGS layer: each is computed once. false: each clip by itself.',
      ),
      '--no-reuse',
    ).default(true),
    repeat_threshold: notNegative(
      'A frame that differs from the one shown last by no more than this counts as the same and is not computed again: mean absolute difference of its bytes, 0 to 255. 0: only identical pictures. Above 0 scores depend a little on what came before; needs `reuse`.',
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
