import type { Command } from 'commander';
import type { CalibrationRequest } from '../lab/harness/calibrate.ts';
import { modelChoice } from '../app/model-choice.ts';
import { settingsOfFlags, type FlagSettings } from '../config/flag-settings.ts';
import { createEvaluationProgress } from './evaluation-progress.ts';
import { printJson, printLine, type CliIo } from './io.ts';
import { positiveInteger, share, wholeNumber } from './options.ts';
import { addSettingFlags, givenSettings } from './setting-flags.ts';

interface CalibrateFlags {
  readonly model: string;
  readonly agreement: number;
  readonly seed: number;
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
    .option('--windows <n>', 'of each video the first so many windows (default: all)', positiveInteger)
    .option('--json', 'the result as one JSON line');
  const parts = ['engine.kind', 'engine.threads', 'model', 'sampler', 'defaults.window'];
  addSettingFlags(command, parts, ['model.seed']).action((videos: string[], flags: CalibrateFlags) =>
    calibrate(requestOf(videos, flags, settingsOfFlags(givenSettings(command))), flags, io),
  );
}

function requestOf(
  videos: readonly string[],
  { model, windows, agreement, seed }: CalibrateFlags,
  { window, sampler, ...settings }: FlagSettings,
): CalibrationRequest {
  const ordered = { ...sampler, kind: sampler.kind ?? 'ordered' };
  return {
    ...{ videos, window, sampler, agreement, seed },
    ...(windows !== undefined && { most: windows }),
    model: modelChoice({ ...settings, sampler: ordered, model, seed }),
  };
}

async function calibrate(
  request: CalibrationRequest,
  { agreement, json }: CalibrateFlags,
  io: CliIo,
): Promise<void> {
  const progress = createEvaluationProgress(io.stderr);
  const { calibrateModel } = await import('../lab/index.ts');
  const result = await calibrateModel(request, progress, io).finally(progress.end);
  if (result.agreement_low < agreement) {
    const doubt = `at least ${result.agreement_low.toFixed(3)} by chance, below ${agreement}: longer footage makes it surer`;
    printLine(io.stderr, `agreement ${result.agreement.toFixed(3)}, ${doubt}`);
  }
  if (json) {
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
