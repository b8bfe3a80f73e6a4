import type { Command } from 'commander';
import { valueAt, withValue } from '../config/layers.ts';
import { configJsonSchema } from '../config/schema.ts';
import { ActionstreamError } from '../core/errors.ts';
import type { CliIo } from './io.ts';
import { collect } from './options.ts';
import { createRunDisplay } from './run-display.ts';
import { addSettingFlags, givenSettings } from './setting-flags.ts';
import { addLoginFlags, readLogin, type LoginFlags } from './source-login.ts';
import { withModel } from './with-model.ts';

interface RunFlags extends LoginFlags {
  readonly source: readonly string[];
  readonly model?: string;
  readonly json?: true;
}

/** `run`: streams to events until the sources end or a signal comes. */
export function addRunCommand(program: Command, io: CliIo): void {
  const command = program
    .command('run [config.yaml]')
    .description('turn streams into action events; runs until its sources end or it is stopped')
    .option('--source <url>', 'camera or file; may be given several times', collect, [])
    .option('--model <path|name>', 'model folder, manifest or .safetensors; or a network name (untrained)')
    .option('--json', 'records as NDJSON on standard output');
  addSettingFlags(addLoginFlags(command), SECTIONS).action(
    (configPath: string | undefined, flags: RunFlags) => runStreams(configPath, flags, { command, io }),
  );
}

/** Every setting that has a flag. */
const SECTIONS = Object.keys(configJsonSchema().properties ?? {});

async function runStreams(
  configPath: string | undefined,
  flags: RunFlags,
  { command, io }: { readonly command: Command; readonly io: CliIo },
): Promise<void> {
  const isWorker = command.getOptionValue('fleet') !== undefined;
  if (configPath === undefined && flags.source.length === 0 && !isWorker) {
    throw new ActionstreamError(
      'USAGE',
      'name a configuration file, a camera or video with --source, or a fleet with --fleet and --kafka',
    );
  }
  const login = await readLogin(flags, io);
  const display = createRunDisplay(io);
  const request = {
    sources: flags.source,
    login,
    flags: settingsOf(flags, command),
    ...(configPath !== undefined && { configPath }),
  };
  const { run } = await import('../app/run.ts');
  const report = await run(request, display, io);
  display.finish(report);
  const failed = report.outcomes.filter(({ reason }) => reason === 'failed');
  if (failed.length > 0) io.setExitCode(failed[0]?.error?.exitCode ?? 1);
  else if (Object.values(report.unreadable).some((count) => count > 0)) io.setExitCode(1);
  else if (!io.signal.aborted && Object.values(report.undelivered).some((count) => count > 0))
    io.setExitCode(3);
}

/**
 * The flags in the shape of the configuration file. `--model` names a network or a model. Missing topics
 * are created.
 */
function settingsOf({ model, json }: RunFlags, command: Command): object {
  const flags = givenSettings(command);
  const given = model === undefined ? flags : withModel(flags, model);
  const more = [
    ...(valueAt(given, ['sinks', 'kafka']) === undefined
      ? []
      : [[['sinks', 'kafka', 'create_topics'], {}] as const]),
    ...(json ? [[['sinks', 'ndjson', 'path'], '-'] as const] : []),
  ];
  return more.reduce<object>((tree, [path, value]) => withValue(tree, path, value) as object, given);
}
