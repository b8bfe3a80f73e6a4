import type { Command } from 'commander';
import type { CliIo } from './io.ts';
import { printJson, printLine, printTable } from './io.ts';

/** `validate` and `config print`: what can be done with a configuration before anything runs. */
export function addConfigCommands(program: Command, io: CliIo): void {
  program
    .command('validate <config.yaml>')
    .description('check a configuration file; exit 2 and every problem where it is wrong')
    .action(async (path: string) => {
      const { validateFile } = await import('../app/check-config.ts');
      const { streams, note } = await validateFile(path, io);
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
      const { effectiveSettings } = await import('../app/check-config.ts');
      const effective = effectiveSettings(path, io);
      if (json) for (const setting of effective) printJson(io.stdout, setting);
      else
        printTable(
          io.stdout,
          effective.map(({ key, value, origin }) => [key, JSON.stringify(value), origin]),
        );
    });
}
