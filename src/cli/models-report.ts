import type { Command } from 'commander';
import type { Accuracy } from '../lab/models-report/report-figures.ts';
import type { Report, ReportCase, ReportRequest } from '../lab/models-report/types.ts';
import { networkOverrides } from '../app/model-choice.ts';
import { settingsOfFlags } from '../config/flag-settings.ts';
import { ActionstreamError } from '../core/errors.ts';
import { listVariantNames, parseStageName, parseVariant } from '../inference/network/variants.ts';
import type { CliIo } from './io.ts';
import { printJson, printLine, printTable } from './io.ts';
import { positiveInteger } from './options.ts';
import { addSettingFlags, givenSettings } from './setting-flags.ts';

interface ReportFlags {
  readonly variants?: readonly string[];
  readonly full?: true;
  readonly sgsAfter?: readonly string[];
  readonly keptSteps?: readonly number[];
  readonly threads: number;
  readonly rounds: number;
  readonly accuracy?: string;
  readonly out?: string;
  readonly json?: true;
}

/** Small enough for all networks in a few minutes; `--full` is the clip of the S3D paper, 64 × 224². */
const SMALL = { frames: 16, height: 112, width: 112, widthMultiplier: 0.5 };
const FULL = { frames: 64, height: 224, width: 224, widthMultiplier: 1 };

/** `models report`: every network of the study side by side, measured on this machine. */
export function addModelsReport(models: Command, io: CliIo): void {
  const command = models
    .command('report')
    .description('all networks side by side: parameters, multiply-adds, time, memory, stages; measured here')
    .option('--variants <names>', 'only these, separated by commas (default: the whole family)', listed)
    .option('--full', `${FULL.frames} frames of ${FULL.height}×${FULL.width} at full width`)
    .option('--sgs-after <layers>', 'also with SGS there, separated by commas', listed)
    .option('--kept-steps <counts>', 'with --sgs-after: steps kept, separated by commas', counts)
    .option('--threads <n>', 'CPU threads of the engine', positiveInteger, 1)
    .option('--rounds <n>', 'visits to each network, in turn', positiveInteger, 3)
    .option('--accuracy <file>', 'JSON of the study, for accuracy beside time')
    .option('--out <dir>', 'writes report.json and the plots there, as SVG and PNG')
    .option('--json', 'one JSON document');
  addSettingFlags(command, ['model'], ['model.seed']).action(async (flags: ReportFlags) => {
    const { network } = settingsOfFlags(givenSettings(command));
    const request: ReportRequest = {
      cases: casesOf(flags),
      network: { ...(flags.full ? FULL : SMALL), ...networkOverrides(network) },
      threads: flags.threads,
      rounds: flags.rounds,
    };
    const lab = await import('../lab/index.ts');
    const accuracy = flags.accuracy === undefined ? new Map() : await lab.readAccuracy(flags.accuracy);
    const report = await lab.reportModels(request, progressOn(io), io);
    if (io.stderr.isTTY) io.stderr.write('\r\x1b[K');
    if (flags.json) printJson(io.stdout, lab.reportJson(report));
    else print(report, accuracy, io);
    if (flags.out === undefined) return;
    for (const file of await lab.writePlots(report, accuracy, flags.out)) printLine(io.stderr, file);
  });
}

function casesOf({ variants, sgsAfter = [], keptSteps = [] }: ReportFlags): readonly ReportCase[] {
  if (sgsAfter.length > 0 !== keptSteps.length > 0) {
    throw new ActionstreamError('USAGE', '--sgs-after and --kept-steps belong together: give both');
  }
  const names = variants?.map((name) => parseVariant(name).name) ?? listVariantNames();
  return names.flatMap((variant) => [
    { variant },
    ...sgsAfter.flatMap((layer) =>
      keptSteps.map((steps) => ({ variant, sgs: { after: parseStageName(layer), keptSteps: steps } })),
    ),
  ]);
}

function print(report: Report, accuracy: ReadonlyMap<string, Accuracy>, { stdout }: CliIo): void {
  const { frames, height, width, widthMultiplier } = report.network;
  printLine(
    stdout,
    `${frames} frames of ${height}×${width}, width ${widthMultiplier}; ${report.machine}, threads ${report.threads}`,
  );
  const header = [
    'NETWORK',
    'SGS',
    'KEPT',
    'PARAMETERS',
    'MULTIPLY-ADDS',
    'MS A CLIP',
    'FROM – TO',
    'PEAK MIB',
  ];
  const rows = report.rows.map((row) => [
    row.variant,
    row.sgs?.after ?? '–',
    row.keptSteps === undefined ? '–' : String(row.keptSteps),
    `${(row.parameters / 1e6).toFixed(3)} M`,
    `${(row.multiplyAdds / 1e9).toFixed(3)} G`,
    row.ms.toFixed(1),
    `${row.msFrom.toFixed(1)} – ${row.msTo.toFixed(1)}`,
    row.peakMiB.toFixed(0),
    ...(accuracy.size > 0 ? [accuracyText(row.sgs ? undefined : accuracy.get(row.variant))] : []),
  ]);
  printTable(stdout, [[...header, ...(accuracy.size > 0 ? ['ACCURACY (95 %)'] : [])], ...rows]);
  const profiled = report.rows.filter((row) => row.stages && !row.variant.includes(':'));
  if (profiled.length === 0) return;
  printLine(stdout, '\nmilliseconds a stage');
  const stages = [...new Set(profiled.flatMap((row) => (row.stages ?? []).map(({ stage }) => stage)))];
  printTable(stdout, [
    ['STAGE', ...profiled.map((row) => row.variant)],
    ...stages.map((stage) => [
      stage,
      ...profiled.map((row) => row.stages?.find((one) => one.stage === stage)?.ms.toFixed(2) ?? '–'),
    ]),
  ]);
}

function accuracyText(accuracy: Accuracy | undefined): string {
  if (!accuracy) return '–';
  return `${accuracy.value.toFixed(3)} [${accuracy.from.toFixed(3)}, ${accuracy.to.toFixed(3)}]`;
}

function progressOn({ stderr }: CliIo): (done: number, of: number, name: string) => void {
  if (!stderr.isTTY) return () => undefined;
  return (done, of, name) => stderr.write(`\r\x1b[K${done} of ${of} visits: ${name}`);
}

function listed(text: string): readonly string[] {
  return text.split(',').map((part) => part.trim());
}

function counts(text: string): readonly number[] {
  return listed(text).map(positiveInteger);
}
