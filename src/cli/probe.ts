import { Option, type Command } from 'commander';
import type { SourceReport } from '../ingest/index.ts';
import type { CliIo } from './io.ts';
import { printJson, printTable } from './io.ts';
import { positiveNumber } from './options.ts';

export interface ProbeServices {
  probe(source: ProbeTarget, signal: AbortSignal): Promise<SourceReport>;
}

interface ProbeTarget {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly seconds?: number;
}

/** `probe URL`: what a source sends, measured over a few seconds; the exit code tells the kind of failure. */
export function addProbeCommand(program: Command, io: CliIo, services: ProbeServices): void {
  program
    .command('probe <url>')
    .description('codec, size, declared and measured frame rate of a camera or file')
    .option('--username <name>', 'user of the camera')
    .addOption(new Option('--password <secret>', 'password of the camera').env('ACTIONSTREAM_PROBE_PASSWORD'))
    .option('--seconds <s>', 'how long to measure', positiveNumber)
    .option('--json', 'machine-readable')
    .action(async (url: string, { json, ...options }: Omit<ProbeTarget, 'url'> & { json?: true }) => {
      const report = await services.probe({ url, ...options }, io.signal);
      if (json) printJson(io.stdout, report);
      else
        printTable(
          io.stdout,
          Object.entries(report).flatMap(([key, value]) =>
            Array.isArray(value) ? value.map((note) => ['note', String(note)]) : [[key, String(value)]],
          ),
        );
    });
}
