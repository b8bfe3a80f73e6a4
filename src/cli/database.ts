import type { Command } from 'commander';
import { ActionstreamError } from '../core/errors.ts';
import type { PruneResult } from '../sink/postgres/prune.ts';
import type { CliIo } from './io.ts';
import { printLine } from './io.ts';
import { duration } from './options.ts';
import { placesOf, type PlaceFlags } from './places.ts';

/** `migrate` and `prune`: the schema, and how long its history is kept. */
export function addDatabaseCommands(program: Command, io: CliIo): void {
  program
    .command('migrate [config.yaml]')
    .description("bring the Postgres schema to this program's version")
    .option('--postgres <url>', 'database, in place of a configuration file')
    .action(async (configPath: string | undefined, flags: PlaceFlags) => {
      const { migrateDatabase } = await import('../app/database.ts');
      const applied = await migrateDatabase(placesOf(configPath, flags), io);
      printLine(
        io.stdout,
        applied.length === 0 ? 'schema is current' : `applied migrations ${applied.join(', ')}`,
      );
    });

  program
    .command('prune [config.yaml]')
    .description(
      'delete what is old: partitions whole, file time and small tables by when they were recorded',
    )
    .option('--postgres <url>', 'database, in place of a configuration file')
    .option('--events <age>', 'events older than this, such as 365d', duration)
    .option('--clip-stats <age>', 'clip statistics older than this, such as 30d', duration)
    .option('--status <age>', 'stream status and gaps recorded longer ago', duration)
    .option('--dead-letters <age>', 'refused records received longer ago', duration)
    .action(async (configPath: string | undefined, flags: PruneFlags) => {
      const {
        events: eventsMs,
        clipStats: clipStatsMs,
        status: statusMs,
        deadLetters: deadLettersMs,
      } = flags;
      const ages = { eventsMs, clipStatsMs, statusMs, deadLettersMs };
      if (Object.values(ages).every((age) => age === undefined)) {
        throw new ActionstreamError(
          'USAGE',
          'say what to delete: --events 365d, --clip-stats 30d, --status 90d, --dead-letters 90d',
        );
      }
      const { prune } = await import('../app/database.ts');
      const result = await prune(placesOf(configPath, flags), ages, io);
      printLine(io.stdout, summaryOf(result));
    });
}

interface PruneFlags extends PlaceFlags {
  readonly events?: number;
  readonly clipStats?: number;
  readonly status?: number;
  readonly deadLetters?: number;
}

function summaryOf({ dropped, deleted }: PruneResult): string {
  const rows = Object.entries(deleted).filter(([, count]) => count > 0);
  const parts = [
    ...(dropped.length > 0 ? [`dropped ${dropped.join(', ')}`] : []),
    ...rows.map(([table, count]) => `deleted ${count} rows of ${table}`),
  ];
  return parts.length === 0 ? 'nothing is that old' : parts.join('; ');
}
