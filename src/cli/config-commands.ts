import type { Command } from 'commander';
import type { CliIo } from './io.ts';
import { printJson, printLine, printTable } from './io.ts';

export interface ConfigServices {
  /** @throws CONFIG_INVALID naming every problem */
  load(path: string): Promise<LoadedConfig>;
  /** Loads it and asks the model as well. @returns a sentence where that could not be @throws CONFIG_INVALID */
  check(path: string): Promise<{ readonly streams: number; readonly note: string | undefined }>;
}

interface LoadedConfig {
  readonly effective: readonly { readonly key: string; readonly value: unknown; readonly origin: string }[];
}

/** `validate` and `config print`: what can be done with a configuration before anything runs. */
export function addConfigCommands(program: Command, io: CliIo, services: ConfigServices): void {
  program
    .command('validate <config.yaml>')
    .description('check a configuration file; exit 2 and every problem where it is wrong')
    .action(async (path: string) => {
      const { streams, note } = await services.check(path);
      if (note !== undefined) printLine(io.stderr, note);
      printLine(io.stdout, `${path}: valid, ${streams} stream${streams === 1 ? '' : 's'}`);
    });

  program
    .command('config')
    .description('show the effective configuration')
    .command('print <config.yaml>')
    .description('every setting with its value and where that came from; secrets are hidden')
    .option('--json', 'one JSON line a setting')
    .action(async (path: string, { json }: { json?: true }) => {
      const { effective } = await services.load(path);
      if (json) for (const setting of effective) printJson(io.stdout, setting);
      else
        printTable(
          io.stdout,
          effective.map(({ key, value, origin }) => [key, JSON.stringify(value), origin]),
        );
    });
}
