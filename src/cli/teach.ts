import { Option, type Command } from 'commander';
import { modelChoice } from '../app/model-choice.ts';
import { settingsOfFlags, type FlagSettings } from '../config/flag-settings.ts';
import type { TeachObserver, TeachRecord, TeachRequest } from '../lab/teach/types.ts';
import { printJson, printLine, printTable, type CliIo } from './io.ts';
import { collect, nonNegativeNumber } from './options.ts';
import { createProgress } from './progress.ts';
import { addSettingFlags, givenSettings } from './setting-flags.ts';

interface TeachFlags {
  readonly data: string;
  readonly split?: string;
  readonly dataset: readonly string[];
  readonly background: readonly string[];
  readonly backbone: string;
  readonly out: string;
  readonly id?: string;
  readonly cache?: string;
  readonly fit?: 'stretch' | 'crop';
  readonly tolerance?: number;
  readonly headsOnly?: true;
  readonly json?: true;
}

/** `teach`: labels of the user's own from a few clips, on a backbone that stays as it is. */
export function addTeachCommand(program: Command, io: CliIo): void {
  const command = program
    .command('teach')
    .description(
      'a model with labels of your own, from a few labelled clips: a new head on a trained network',
    )
    .requiredOption('--data <manifest>', 'manifest.csv: dataset, path, label; start_s, end_s, split, group')
    .option('--split <name>', 'only the clips of this split')
    .option('--dataset <name>', 'only this data set; may be given several times', collect, [])
    .option(
      '--background <label>',
      'this label means none of the actions, as background, none and no_… do; may be given several times',
      collect,
      [],
    )
    .requiredOption('--backbone <path|name>', 'trained model whose head is replaced, such as i3d-kinetics400')
    .requiredOption('--out <dir>', 'folder of the taught model, with teach.json and confusion.png')
    .option('--id <name>', 'id of the taught model (default: the name of its folder)')
    .option(
      '--cache <dir>',
      "folder of the clips' features (default: actionstream/features in the user's cache)",
    )
    .addOption(
      new Option(
        '--fit <how>',
        "how frames are brought to the network's size; stretch sees the whole frame (default: as the backbone does)",
      ).choices(['stretch', 'crop']),
    )
    .option(
      '--tolerance <auc>',
      'the model samples as coarsely as its AUC on held-out groups stays so near that of all steps (default: as --delta says)',
      nonNegativeNumber,
    )
    .option(
      '--heads-only',
      'writes the heads alone, some kilobytes; the backbone is found by its name where the model is opened',
    )
    .option('--json', 'the result as one JSON line');
  const parts = ['engine.kind', 'engine.threads', 'model', 'sampler', 'defaults.window'];
  addSettingFlags(command, parts, TRAINED_ALREADY).action((flags: TeachFlags) =>
    teach(requestOf(flags, settingsOfFlags(givenSettings(command))), flags, io),
  );
}

/** Of a network without weights. */
const TRAINED_ALREADY = ['seed', 'classes', 'width', 'padding', 'stem', 'input', 'gate_bias'].map(
  (name) => `model.${name}`,
);

function requestOf(
  { data, split, dataset, background, backbone, out, id, cache, fit, tolerance, headsOnly }: TeachFlags,
  { window, sampler, ...settings }: FlagSettings,
): TeachRequest {
  return {
    ...{ data, datasets: dataset, background, out, headsOnly: headsOnly === true, sampler, window },
    ...(split !== undefined && { split }),
    ...(id !== undefined && { id }),
    ...(cache !== undefined && { cache }),
    ...(fit !== undefined && { fit }),
    ...(tolerance !== undefined && { tolerance }),
    backbone: modelChoice({ ...settings, sampler, model: backbone, seed: 0 }),
    command: [
      'actionstream teach',
      `--backbone ${backbone}`,
      ...dataset.map((name) => `--dataset ${name}`),
      ...(headsOnly ? ['--heads-only'] : []),
    ].join(' '),
  };
}

async function teach(request: TeachRequest, { json }: TeachFlags, io: CliIo): Promise<void> {
  const progress = createTeachProgress(io.stderr);
  const { teachModel } = await import('../lab/index.ts');
  const record = await teachModel(request, progress, io).finally(progress.end);
  if (json) {
    const { model, labels, clips, groups, cross_validation, seconds } = record;
    printJson(io.stdout, { model, labels, clips, groups, cross_validation, seconds });
    return;
  }
  printRecord(record, request.out, io);
}

/** How far it is: a bar on a terminal, else a line now and then. */
function createTeachProgress(stream: CliIo['stderr']): TeachObserver & { readonly end: () => void } {
  const bar = createProgress(stream);
  let toldMs = performance.now();
  const say = (line: string): void => {
    bar.clear();
    printLine(stream, line);
  };
  return {
    onReady(clips, cached) {
      say(`${clips} clips, the features of ${cached} are there already`);
    },
    onClip(done, of, leftS) {
      const note = `${done} of ${of} clips, ${durationOf(leftS)} left`;
      bar.show(done / of, note);
      const nowMs = performance.now();
      if (stream.isTTY === true || (nowMs - toldMs < LINE_EVERY_MS && done < of)) return;
      toldMs = nowMs;
      say(note);
    },
    onNote: say,
    end: () => {
      bar.clear();
    },
  };
}

/** Without a terminal, a line at most this often. */
const LINE_EVERY_MS = 20_000;

function durationOf(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}

function printRecord(record: TeachRecord, out: string, { stdout }: CliIo): void {
  const { label_figures, samplers, cross_validation, clips, groups, weak_points } = record;
  const labels = Object.entries(label_figures).map(([label, figures]) => [
    label,
    `${figures.clips} of ${figures.of}`,
    String(figures.groups),
    figures.auc?.toFixed(3) ?? '–',
    decimals(figures.auc_interval),
    figures.threshold.toFixed(2),
  ]);
  printTable(stdout, [['LABEL', 'CLIPS', 'GROUPS', 'AUC', '95 % INTERVAL', 'THRESHOLD'], ...labels]);
  printLine(stdout, '');
  const rows = samplers.map(({ sampler, kept_ratio: kept, auc, accuracy }) => [
    Object.values(sampler)
      .filter((value) => typeof value !== 'object')
      .join(' '),
    percent(kept),
    auc?.toFixed(3) ?? '–',
    percent(accuracy),
  ]);
  printTable(stdout, [['SAMPLER', 'STEPS KEPT', 'AUC', 'ACCURACY'], ...rows]);
  const { accuracy, accuracy_interval: interval } = cross_validation;
  printLine(
    stdout,
    `\n${clips} clips of ${groups} groups, each scored by heads that saw none of its group: ` +
      `${percent(accuracy)} right (${interval.map(percent).join(' to ')})`,
  );
  for (const point of weak_points) printLine(stdout, `weak: ${point}`);
  printLine(
    stdout,
    `${out}: run, infer and evaluate take it as --model; confusion.png shows what it confuses`,
  );
}

function percent(value: number): string {
  return `${Math.round(100 * value)} %`;
}

function decimals(interval: readonly number[] | undefined): string {
  return interval?.map((value) => value.toFixed(2)).join(' to ') ?? '';
}
