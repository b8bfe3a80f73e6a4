import type { Command } from 'commander';
import { ActionstreamError } from '../core/errors.ts';
import type { DeliverReport } from '../app/journal-deliver.ts';
import type { Damage } from '../sink/journal/corruption.ts';
import type { JournalReport } from '../sink/journal/inspect.ts';
import type { CliIo } from './io.ts';
import { printJson, printLine } from './io.ts';
import { placesOf, type PlaceFlags } from './places.ts';

/**
 * `journal check | salvage | forget | deliver`: what a journal holds, and the ways out where it cannot go on.
 */
export function addJournalCommand(program: Command, io: CliIo): void {
  const load = () => import('../app/journal.ts');
  const journal = program.command('journal').description('look into the durable journal, and mend it');
  journal
    .command('check <config.yaml|folder>')
    .description('read every record; exit 1 where some cannot be read. A running program may go on')
    .option('--json', 'machine-readable')
    .action(async (place: string, { json }: { json?: true }) => {
      const report = await (await load()).check(place, io);
      if (json) printJson(io.stdout, report);
      else printReport(io, report);
      if (report.damages.length > 0) throw damaged(report);
    });

  journal
    .command('salvage <config.yaml|folder>')
    .description('move readable records of damaged files to new ones; damaged files are set aside')
    .action(async (place: string) => {
      const salvaged = await (await load()).salvage(place, io);
      for (const { quarantined, keptRecords, lostRecords } of salvaged) {
        printLine(
          io.stdout,
          `${keptRecords} records kept, ${lostRecords} lost; damaged file: ${quarantined}`,
        );
      }
      if (salvaged.length === 0) printLine(io.stdout, 'no file is damaged: nothing was changed');
    });

  journal
    .command('forget <sink> <config.yaml|folder>')
    .description('give up what waits for a sink: a later run with it begins at the end of the journal')
    .action(async (sink: string, place: string) => {
      const records = await (await load()).forget(sink, place, io);
      printLine(io.stdout, `${sink}: ${records} records given up`);
    });

  journal
    .command('deliver <folder> [config.yaml]')
    .description('deliver what a program that runs no more has left in its journal; ends its open episodes')
    .option('--kafka <brokers>', 'brokers, in place of a configuration file')
    .option('--postgres <url>', 'database, in place of a configuration file')
    .option('--json', 'machine-readable')
    .action(async (dir: string, configPath: string | undefined, flags: PlaceFlags & { json?: true }) => {
      const { deliver } = await import('../app/journal-deliver.ts');
      const report = await deliver(dir, placesOf(configPath, flags), io);
      if (flags.json) printJson(io.stdout, report);
      else printDelivered(io, report);
      if (Object.values(report.unreadable).some((count) => count > 0)) io.setExitCode(1);
      else if (Object.values(report.undelivered).some((count) => count > 0)) io.setExitCode(3);
    });
}

function printDelivered(io: CliIo, { waited, undelivered, endedEpisodes, left }: DeliverReport): void {
  if (endedEpisodes > 0) printLine(io.stdout, `${endedEpisodes} open episodes ended`);
  for (const [sink, before] of Object.entries(waited)) {
    const missing = undelivered[sink] ?? 0;
    printLine(io.stdout, `${sink.padEnd(9)} ${before} records waited, ${missing} wait still`);
  }
  for (const [sink, records] of Object.entries(left))
    printLine(io.stdout, `${sink.padEnd(9)} ${records} records wait; it was not named`);
}

function printReport(io: CliIo, report: JournalReport): void {
  const { dir, segments, bytes, firstOffset, nextOffset, readableRecords, fsync } = report;
  const durability = fsync === undefined ? '' : fsync ? ', fsync on' : ', fsync off';
  printLine(io.stdout, `${dir}: ${segments} files, ${bytes} bytes${durability}`);
  printLine(io.stdout, `${readableRecords} records, offsets ${firstOffset} to ${nextOffset - 1}`);
  for (const [sink, { waiting, unreadable }] of Object.entries(report.sinks)) {
    const lost = unreadable === 0 ? '' : `, ${unreadable} of them unreadable`;
    printLine(io.stdout, `${sink.padEnd(9)} ${waiting} records wait${lost}`);
  }
  for (const damage of report.damages) printLine(io.stdout, `DAMAGED ${describe(damage)}`);
}

function describe({ path, position, endPosition, firstOffset, endOffset, why }: Damage): string {
  const records = endOffset - firstOffset;
  return `${path} bytes ${position} to ${endPosition}: ${why}; ${records} records from offset ${firstOffset}`;
}

function damaged({ dir, damages, refusesStart }: JournalReport): ActionstreamError {
  const records = damages.reduce((sum, damage) => sum + damage.endOffset - damage.firstOffset, 0);
  const what = `${records} records of journal ${dir} cannot be read`;
  return new ActionstreamError(
    'JOURNAL_CORRUPT',
    refusesStart
      ? `${what}, some in the file being written, so that no run starts; actionstream journal salvage ${dir} keeps the others`
      : `${what}; a run delivers all others and reports these`,
  );
}
