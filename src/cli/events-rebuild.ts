import { Option, type Command } from 'commander';
import { ActionstreamError } from '../core/errors.ts';
import type { TableChecksum } from '../sink/postgres/checksum.ts';
import type { CliIo } from './io.ts';
import { printJson, printLine, printTable } from './io.ts';
import { wholeNumber } from './options.ts';
import { placesOf, type PlaceFlags } from './places.ts';

/** `events rebuild | checksum | redeliver`: a sink filled again, and the proof that it is the same. */
export function addRebuild(events: Command, io: CliIo): void {
  addRebuildDatabase(events, io);
  addChecksum(events, io);
  addRedeliver(events, io);
}

function addRebuildDatabase(events: Command, io: CliIo): void {
  type Flags = PlaceFlags & {
    readonly from: 'journal' | 'kafka';
    readonly force?: true;
    readonly json?: true;
  };
  events
    .command('rebuild [config.yaml]')
    .description('fill an empty database from the journal or from Kafka, and print a checksum of each table')
    .addOption(
      new Option('--from <source>', 'what to read').choices(['journal', 'kafka']).makeOptionMandatory(),
    )
    .addOption(new Option('--to <sink>', 'what to fill').choices(['postgres']).default('postgres'))
    .option('--journal <dir>', 'journal folder, in place of a configuration file')
    .option('--kafka <brokers>', 'brokers, in place of a configuration file')
    .option('--postgres <url>', 'database, in place of a configuration file')
    .option('--force', 'add to a database that holds rows')
    .option('--json', 'machine-readable')
    .action(async (configPath: string | undefined, flags: Flags) => {
      const { from, force = false } = flags;
      const places = placesOf(configPath, flags);
      const { rebuild } = await import('../app/events.ts');
      const result = await rebuild(places, { from, force }, io);
      if (flags.json) printJson(io.stdout, result);
      else printChecksums(io, result.tables);
      const skipped = result.skipped > 0 ? `, ${result.skipped} messages of others skipped` : '';
      printLine(io.stderr, `${result.records} records of the ${from}${skipped}`);
      if (result.leftOut > 0)
        printLine(io.stderr, `${result.leftOut} records stay out: prune has deleted them from this database`);
      if ((result.firstOffset ?? 0) > 0)
        printLine(
          io.stderr,
          `the journal begins at offset ${result.firstOffset}: older records are not in it`,
        );
    });
}

function addChecksum(events: Command, io: CliIo): void {
  events
    .command('checksum [config.yaml]')
    .description('a checksum of each table, equal for equal rows in any order')
    .option('--postgres <url>', 'database, in place of a configuration file')
    .option('--json', 'machine-readable')
    .action(async (configPath: string | undefined, flags: PlaceFlags & { readonly json?: true }) => {
      const { checksum } = await import('../app/events.ts');
      const tables = await checksum(placesOf(configPath, flags), io);
      if (flags.json) printJson(io.stdout, tables);
      else printChecksums(io, tables);
    });
}

function addRedeliver(events: Command, io: CliIo): void {
  type Flags = PlaceFlags & { readonly sink: string; readonly from?: number; readonly all?: true };
  events
    .command('redeliver [config.yaml]')
    .description(
      'send records of the journal to a sink again, at the next run (duplicates carry the same id)',
    )
    .requiredOption('--sink <name>', 'kafka, postgres or ndjson')
    .option('--from <offset>', 'from this record of the journal on', wholeNumber)
    .option('--all', 'everything that the journal holds')
    .option('--journal <dir>', 'journal folder, in place of a configuration file')
    .action(async (configPath: string | undefined, flags: Flags) => {
      const { sink, from, all } = flags;
      if ((from === undefined) === (all === undefined))
        throw new ActionstreamError('USAGE', 'say what to send: --from OFFSET or --all');
      if (!SINKS.includes(sink))
        throw new ActionstreamError('USAGE', `--sink "${sink}" is none of ${SINKS.join(', ')}`);
      const places = placesOf(configPath, flags);
      const { redeliver } = await import('../app/events.ts');
      const { before, nextOffset, records } = await redeliver(places, { sink, from }, io);
      const stood = before === undefined ? 'had no checkpoint' : `stood at offset ${before}`;
      printLine(
        io.stdout,
        `${sink} ${stood}; the next run sends ${records} records from offset ${nextOffset}`,
      );
    });
}

const SINKS: readonly string[] = ['kafka', 'postgres', 'ndjson'];

function printChecksums(io: CliIo, tables: readonly TableChecksum[]): void {
  const rows = tables.map(({ table, rows: count, checksum }) => [table, String(count), checksum]);
  printTable(io.stdout, [['TABLE', 'ROWS', 'CHECKSUM'], ...rows]);
}
