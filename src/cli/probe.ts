import type { Command } from 'commander';
import type { CliIo } from './io.ts';
import { printJson, printTable } from './io.ts';
import { positiveNumber } from './options.ts';
import { addSourceFlags, readSourceFlags, type SourceFlags } from './source-flags.ts';

interface ProbeFlags extends SourceFlags {
  readonly seconds?: number;
  readonly json?: true;
}

/** `probe URL`: what a source sends, measured over a few seconds; the exit code tells the kind of failure. */
export function addProbeCommand(program: Command, io: CliIo): void {
  const command = program
    .command('probe <url>')
    .description('codec, size, declared and measured frame rate of a camera or file')
    .option('--seconds <s>', 'how long to measure', positiveNumber)
    .option('--json', 'machine-readable');
  addSourceFlags(command).action(async (url: string, { json, seconds, ...flags }: ProbeFlags) => {
    const access = await readSourceFlags(flags, io);
    const target = { url, ...access, ...(seconds !== undefined && { seconds }) };
    const { probe } = await import('../app/probe.ts');
    const report = await probe(target, io);
    if (json) printJson(io.stdout, report);
    else
      printTable(
        io.stdout,
        Object.entries(report).map(([key, value]) => [key, String(value)]),
      );
  });
}
