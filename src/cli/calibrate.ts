import type { Command } from 'commander';
import type { CalibrationRequest } from '../lab/harness/calibrate.ts';
import { modelChoice, type NetworkFlags, type SamplerFlags } from '../app/model-choice.ts';
import { createEvaluationProgress } from './evaluation-progress.ts';
import { printJson, printLine, type CliIo } from './io.ts';
import {
  addNetworkFlags,
  addSamplerFlags,
  positiveInteger,
  positiveNumber,
  share,
  wholeNumber,
} from './options.ts';

interface CalibrateFlags extends NetworkFlags, SamplerFlags {
  readonly model: string;
  readonly agreement: number;
  readonly seed: number;
  readonly engine: string;
  readonly threads?: number;
  readonly fps?: number;
  readonly clipStride?: number;
  readonly windows?: number;
  readonly json?: true;
}

/** `calibrate VIDEO…`: the largest δ at which sampling decides as all steps do, on the user's own footage. */
export function addCalibrateCommand(program: Command, io: CliIo): void {
  const command = program
    .command('calibrate <videos...>')
    .description(
      "the largest δ at which sampled decisions agree with the dense network's on these videos; needs no labels",
    )
    .requiredOption(
      '--model <path|name>',
      'model folder, manifest or .safetensors; or a network name (untrained)',
    )
    .option('--agreement <share>', 'share of decisions that must agree', share, 0.98)
    .option('--seed <n>', 'seed of an untrained network and of the interval', wholeNumber, 0)
    .option('--engine <kind>', 'onnx, reference or null', 'onnx')
    .option('--threads <n>', 'CPU threads of the engine', positiveInteger)
    .option('--fps <r>', "frames a second (default: the model's)", positiveNumber)
    .option('--clip-stride <n>', "frames between clip starts (default: the model's)", positiveInteger)
    .option('--windows <n>', 'of each video the first so many windows (default: all)', positiveInteger)
    .option('--json', 'the result as one JSON line');
  addSamplerFlags(addNetworkFlags(command)).action((videos: string[], flags: CalibrateFlags) =>
    calibrate(videos, flags, io),
  );
}

async function calibrate(videos: readonly string[], flags: CalibrateFlags, io: CliIo): Promise<void> {
  const { fps, clipStride, windows, agreement, seed } = flags;
  const progress = createEvaluationProgress(io.stderr);
  const request: CalibrationRequest = {
    videos,
    window: { ...(fps !== undefined && { fps }), ...(clipStride !== undefined && { stride: clipStride }) },
    ...(windows !== undefined && { most: windows }),
    model: modelChoice({ ...flags, sampler: flags.sampler ?? 'ordered' }),
    sampler: flags,
    agreement,
    seed,
  };
  const { calibrateModel } = await import('../lab/index.ts');
  const result = await calibrateModel(request, progress, io).finally(progress.end);
  if (result.agreement_low < agreement) {
    const doubt = `at least ${result.agreement_low.toFixed(3)} by chance, below ${agreement}: longer footage makes it surer`;
    printLine(io.stderr, `agreement ${result.agreement.toFixed(3)}, ${doubt}`);
  }
  if (flags.json) {
    printJson(io.stdout, result);
    return;
  }
  const { delta, agreement: held, agreement_low: low, multiply_adds_ratio: cost, windows: seen } = result;
  printLine(
    io.stdout,
    `δ ${round(delta)}: ${percent(held)} of decisions agree (at least ${percent(low)}) at ${percent(cost)} of the multiply-adds, ${seen} windows`,
  );
  printLine(io.stdout, `in the stream's settings:  sampler: { kind: ordered, width: ${round(delta)} }`);
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

function round(delta: number): string {
  return String(Number(delta.toPrecision(4)));
}
