import { Option, type Command } from 'commander';
import type { EvaluationRequest, FrameOrder } from '../lab/harness/types.ts';
import type { AgreementRequest } from '../lab/harness/measure-agreement.ts';
import { modelChoice } from '../app/model-choice.ts';
import { settingsOfFlags, type FlagSettings } from '../config/flag-settings.ts';
import { ActionstreamError } from '../core/errors.ts';
import type { ClipListFormat } from '../lab/datasets/read-clip-list.ts';
import { DEFAULT_MODEL } from '../inference/model.ts';
import { createEvaluationProgress } from './evaluation-progress.ts';
import { printAgreement, printEvaluation } from './evaluation-tables.ts';
import { printJson, type CliIo } from './io.ts';
import { collect, positiveInteger, wholeNumber } from './options.ts';
import { addSettingFlags, givenSettings } from './setting-flags.ts';

interface EvaluateFlags {
  readonly data?: string;
  readonly agreement?: true;
  readonly windows?: number;
  readonly format: ClipListFormat;
  readonly split?: string;
  readonly videos?: string;
  readonly dataset: readonly string[];
  readonly task: readonly string[];
  readonly model: string;
  readonly seed: number;
  readonly order: FrameOrder;
  readonly clips?: number;
  readonly crops: '1' | '3';
  readonly predictions?: string;
  readonly json?: true;
}

/** Every form that the laboratory reads. */
const FORMATS = {
  manifest: true,
  kinetics: true,
  ssv2: true,
  ucf101: true,
  hmdb51: true,
} as const satisfies Record<ClipListFormat, true>;

/** `evaluate`: how right a model is on labelled videos, and what that costs. */
export function addEvaluateCommand(program: Command, io: CliIo): void {
  const command = program
    .command('evaluate')
    .description('figures of a model on labelled clips: accuracy, events found, cost')
    .option('--data <list>', 'manifest.csv, or an official list (see --format)')
    .addOption(
      new Option('--format <form>', 'form of the list').choices(Object.keys(FORMATS)).default('manifest'),
    )
    .option('--split <name>', 'only the clips of this split')
    .option(
      '--videos <dir>',
      'folder of the videos of an official list (default: that of the list); with --agreement, without --data: any videos',
    )
    .option(
      '--agreement',
      'how far sampled scores agree with those of all steps, on the same windows; needs no labels',
    )
    .option('--windows <n>', 'with --agreement: of each video the first so many windows', positiveInteger)
    .option('--dataset <name>', 'only this data set; may be given several times', collect, [])
    .option(
      '--task <dataset=name>',
      'judge a data set as one of docs/evaluation.md, e.g. site=fir-action',
      collect,
      [],
    )
    .option(
      '--model <path|name>',
      'model folder, manifest or .safetensors; or a network name (untrained)',
      DEFAULT_MODEL,
    )
    .option('--seed <n>', 'seed of an untrained network and of the intervals', wholeNumber, 0)
    .addOption(
      new Option('--order <order>', 'order of the frames of each window')
        .choices(['normal', 'reversed'])
        .default('normal'),
    )
    .option(
      '--clips <n>',
      'short clips: windows spread evenly, each by itself (default: the windows of run)',
      positiveInteger,
    )
    .addOption(
      new Option('--crops <n>', 'short clips: the frame as run fits it, or 3 squares along its longer side')
        .choices(['1', '3'])
        .default('1'),
    )
    .option('--predictions <file>', 'one JSON line a clip or video: scores, kept steps, events')
    .option('--json', 'the report as one JSON line');
  addSettingFlags(command, EVALUATED, ['model.seed']).action((flags: EvaluateFlags) =>
    evaluate(flags, settingsOfFlags(givenSettings(command)), io),
  );
}

/** What shapes a model and its windows, wherever one is measured. */
const EVALUATED = ['engine.kind', 'engine.threads', 'model', 'sampler', 'defaults.window'];

async function evaluate(flags: EvaluateFlags, settings: FlagSettings, io: CliIo): Promise<void> {
  const progress = createEvaluationProgress(io.stderr);
  const lab = await import('../lab/index.ts');
  if (flags.agreement) {
    const found = await lab
      .agreementOfModel(agreementRequest(flags, settings), progress, io)
      .finally(progress.end);
    if (flags.json) printJson(io.stdout, { agreement: found });
    else printAgreement(io.stdout, found);
    return;
  }
  const report = await lab.evaluateModel(requestOf(flags, settings), progress, io).finally(progress.end);
  if (flags.json) printJson(io.stdout, report);
  else printEvaluation(io.stdout, report);
  if (report.failed.length > 0) io.setExitCode(1);
}

function agreementRequest(flags: EvaluateFlags, settings: FlagSettings): AgreementRequest {
  const { data, format, split, videos, dataset, windows } = flags;
  const list = data !== undefined && {
    ...{ data, format, datasets: dataset },
    ...(split !== undefined && { split }),
    ...(videos !== undefined && { videos }),
  };
  const footage = list || (videos !== undefined && { folder: videos });
  if (!footage)
    throw new ActionstreamError('USAGE', '--agreement needs footage: --data LIST or --videos DIR');
  const most = windows === undefined ? {} : { most: windows };
  return { footage, ...most, ...modelOf(flags, settings) };
}

function requestOf(flags: EvaluateFlags, settings: FlagSettings): EvaluationRequest {
  const { data, format, split, videos, dataset, task, seed, order, clips, crops, predictions } = flags;
  if (data === undefined) throw new ActionstreamError('USAGE', 'name the labelled clips with --data');
  return {
    data,
    format,
    ...(split !== undefined && { split }),
    ...(videos !== undefined && { videos }),
    datasets: dataset,
    tasks: Object.fromEntries(task.map(parseTask)),
    ...modelOf(flags, settings),
    order,
    views: { crops: crops === '3' ? 3 : 1, ...(clips !== undefined && { clips }) },
    seed,
    ...(predictions !== undefined && { predictions }),
  };
}

function modelOf(
  { model, seed }: EvaluateFlags,
  { window, ...settings }: FlagSettings,
): Pick<EvaluationRequest, 'model' | 'sampler' | 'window'> {
  return { model: modelChoice({ ...settings, model, seed }), sampler: settings.sampler, window };
}

function parseTask(text: string): readonly [dataset: string, like: string] {
  const [, dataset, like] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (dataset === undefined || like === undefined) {
    throw new ActionstreamError('USAGE', `--task ${text}: expected DATASET=NAME, e.g. site=fir-action`);
  }
  return [dataset, like];
}
