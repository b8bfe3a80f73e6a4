import type { Command } from 'commander';
import { linesOf, writeStreamSampler } from '../config/write-stream-sampler.ts';
import { innerName } from '../settings/inner-names.ts';
import { LAYER_KEYS } from '../config/sampler-schema.ts';
import { ActionstreamError } from '../core/errors.ts';
import type { CalibrationResult } from '../lab/harness/calibrate.ts';
import type { CalibrationWish } from '../lab/harness/calibration-request.ts';
import { createEvaluationProgress } from './evaluation-progress.ts';
import { printJson, printLine, type CliIo } from './io.ts';
import { duration, positiveInteger, share, wholeNumber } from './options.ts';
import { addSettingFlags, givenSettings } from './setting-flags.ts';
import { addLoginFlags, readLogin, type LoginFlags } from './source-login.ts';
import { withModel } from './with-model.ts';

interface CalibrateFlags extends LoginFlags {
  readonly model?: string;
  readonly config?: string;
  readonly duration: number;
  readonly agreement: number;
  readonly seed: number;
  readonly windows?: number;
  readonly write?: true;
  readonly json?: true;
}

const FIVE_MINUTES_MS = 300_000;

/**
 * `calibrate SOURCE…`: the largest δ at which sampling decides as all steps do, on the user's own footage.
 */
export function addCalibrateCommand(program: Command, io: CliIo): void {
  const command = program
    .command('calibrate <sources...>')
    .description(
      "the largest δ at which sampled decisions agree with the dense network's on these videos and live streams; needs no labels",
    )
    .option(
      '--model <path|name>',
      'model folder, manifest or .safetensors; or a network name (untrained); default with --config: its own',
    )
    .option('--config <file>', 'the sources are ids of streams of this configuration, at their settings')
    .option('--duration <time>', 'a live stream is watched for so long', duration, FIVE_MINUTES_MS)
    .option('--agreement <share>', 'share of decisions that must agree', share, 0.98)
    .option('--seed <n>', 'seed of an untrained network and of the interval', wholeNumber, 0)
    .option('--windows <n>', 'of each source the first so many windows (default: all)', positiveInteger)
    .option('--write', "write δ into the streams' settings in --config; the rest of the file stays as it is")
    .option('--json', 'the result as one JSON line');
  const parts = ['engine.kind', 'engine.threads', 'model', 'sampler', 'defaults.window', 'defaults.tls'];
  addSettingFlags(addLoginFlags(command), parts, ['model.seed']).action(
    (names: string[], flags: CalibrateFlags) =>
      calibrate(names, flags, { given: givenSettings(command), io }),
  );
}

async function calibrate(
  names: readonly string[],
  flags: CalibrateFlags,
  { given, io }: { readonly given: object; readonly io: CliIo },
): Promise<void> {
  if (flags.write) demandWritable(flags, given);
  const progress = createEvaluationProgress(io.stderr);
  const { calibrateModel } = await import('../lab/index.ts');
  const wish = await wishOf(names, flags, { given, io });
  const result = await calibrateModel(wish, progress, io).finally(progress.end);
  const enough = noteDoubts(result, flags, io);
  if (flags.json) printJson(io.stdout, result.calibration);
  else printCalibration(result, io);
  const { config, write } = flags;
  if (!write || config === undefined) return;
  if (!enough) {
    printLine(
      io.stderr,
      `${config}: not written: this footage cannot show an agreement of ${flags.agreement}`,
    );
    io.setExitCode(1);
    return;
  }
  for (const streamId of new Set(names)) {
    await writeStreamSampler(config, { streamId, values: result.settings, env: io.env });
    printLine(io.stderr, `${config}: stream ${streamId}: ${linesOf(result.settings)}`);
  }
}

async function wishOf(
  names: readonly string[],
  { model, config, duration: durationMs, windows, agreement, seed, ...login }: CalibrateFlags,
  { given, io }: { readonly given: object; readonly io: CliIo },
): Promise<CalibrationWish> {
  const whole = config !== undefined && model !== undefined ? withModel(given, model) : given;
  return {
    ...{ names, durationMs, agreement, seed, settings: whole, login: await readLogin(login, io) },
    ...(model !== undefined && { model }),
    ...(config !== undefined && { configPath: config }),
    ...(windows !== undefined && { most: windows }),
  };
}

/**
 * A stream's settings say how it samples; what shapes the network and its windows stands elsewhere in the
 * file.
 */
function demandWritable({ config, model }: CalibrateFlags, given: object): void {
  if (config === undefined)
    throw new ActionstreamError('USAGE', '--write: name the configuration file with --config');
  const { sampler = {} } = given as { readonly sampler?: object };
  const layer = Object.keys(sampler).filter((key) => LAYER_KEYS.includes(innerName(key) as never));
  const elsewhere = [
    ...Object.keys(given).filter((key) => !['engine', 'sampler'].includes(key)),
    ...layer.map((key) => `sampler.${key}`),
    ...(model === undefined ? [] : ['model']),
  ];
  if (elsewhere.length > 0)
    throw new ActionstreamError(
      'USAGE',
      `--write: ${elsewhere.join(', ')} is no setting of one sampler: set it in ${config} instead of as a flag`,
    );
}

/** @returns whether the footage could show the share, had all its windows agreed */
function noteDoubts(
  { calibration: { agreement, agreement_low: low }, evidence }: CalibrationResult,
  { agreement: asked }: CalibrateFlags,
  { stderr }: CliIo,
): boolean {
  const { blocks, moving, needed } = evidence;
  if (low < asked)
    printLine(
      stderr,
      `agreement ${agreement.toFixed(3)}, at least ${low.toFixed(3)} by chance, below ${asked}`,
    );
  if (moving >= needed) return true;
  const seen = `something moves in ${moving} of ${blocks} windows that do not overlap`;
  const remedy = Number.isFinite(needed)
    ? `${needed} are needed to show ${asked}: give longer footage (--duration), or ask for less`
    : 'no footage can show an agreement of 1: ask for less';
  printLine(stderr, `too few windows: ${seen}; ${remedy}`);
  return false;
}

function printCalibration({ calibration, settings }: CalibrationResult, { stdout }: CliIo): void {
  const { delta, agreement, agreement_low: low, multiply_adds_ratio: cost, windows } = calibration;
  printLine(
    stdout,
    `δ ${delta}: ${percent(agreement)} of decisions agree (at least ${percent(low)}) at ${percent(cost)} of the multiply-adds, ${windows} windows`,
  );
  printLine(stdout, `in the stream's settings:  ${linesOf(settings)}`);
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
