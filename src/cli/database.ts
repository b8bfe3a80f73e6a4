import type { Command } from 'commander';
import { ActionstreamError } from '../core/errors.ts';
import type { PruneOptions } from '../sink/postgres/prune.ts';
import type { CliIo } from './io.ts';
import { printLine } from './io.ts';
import { duration } from './options.ts';

export interface DatabaseServices {
  migrate(places: DatabasePlaces): Promise<readonly number[]>;
  prune(places: DatabasePlaces, options: PruneOptions): Promise<readonly string[]>;
}

interface DatabasePlaces {
  readonly configPath?: string;
  readonly postgres?: string;
}

/** `migrate` and `prune`: the schema, and how long its history is kept. */
export function addDatabaseCommands(
  program: Command,
  io: CliIo,
  services: () => Promise<DatabaseServices>,
): void {
  program
    .command('migrate [config.yaml]')
    .description("bring the Postgres schema to this program's version")
    .option('--postgres <url>', 'database, in place of a configuration file')
    .action(async (configPath: string | undefined, { postgres }: { postgres?: string }) => {
      const applied = await (await services()).migrate(placesOf(configPath, postgres));
      printLine(
        io.stdout,
        applied.length === 0 ? 'schema is current' : `applied migrations ${applied.join(', ')}`,
      );
    });

  program
    .command('prune [config.yaml]')
    .description('drop old partitions: a month of events, a day of clip statistics at a time')
    .option('--postgres <url>', 'database, in place of a configuration file')
    .option('--events <age>', 'drop events older than this, such as 365d', duration)
    .option('--clip-stats <age>', 'drop clip statistics older than this, such as 30d', duration)
    .action(
      async (
        configPath: string | undefined,
        flags: { postgres?: string; events?: number; clipStats?: number },
      ) => {
        const { postgres, events, clipStats } = flags;
        if (events === undefined && clipStats === undefined) {
          throw new ActionstreamError('USAGE', 'say what to drop: --events 365d, --clip-stats 30d or both');
        }
        const dropped = await (
          await services()
        ).prune(placesOf(configPath, postgres), {
          ...(events !== undefined && { eventsBefore: new Date(Date.now() - events) }),
          ...(clipStats !== undefined && { clipStatsBefore: new Date(Date.now() - clipStats) }),
        });
        printLine(io.stdout, dropped.length === 0 ? 'nothing is that old' : `dropped ${dropped.join(', ')}`);
      },
    );
}

function placesOf(configPath: string | undefined, postgres: string | undefined): DatabasePlaces {
  return { ...(configPath !== undefined && { configPath }), ...(postgres !== undefined && { postgres }) };
}
