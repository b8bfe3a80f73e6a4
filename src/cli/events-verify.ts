import type { Command } from 'commander';
import { ActionstreamError } from '../core/errors.ts';
import type { VerifyResult } from '../sink/verify.ts';
import type { CliIo } from './io.ts';
import { printJson, printLine } from './io.ts';
import { instant } from './options.ts';
import { placesOf, type PlaceFlags } from './places.ts';

type Flags = PlaceFlags & {
  readonly from?: Date;
  readonly to?: Date;
  readonly json?: true;
};

/** `events verify`: the proof that nothing is missing, doubled or changed. */
export function addVerify(events: Command, io: CliIo): void {
  events
    .command('verify [config.yaml]')
    .description('compare journal, Kafka and Postgres; exit 1 and a list where they differ')
    .option('--journal <dir>', 'journal folder, in place of a configuration file; it may be one put aside')
    .option('--kafka <brokers>', 'brokers, in place of a configuration file')
    .option('--postgres <url>', 'database, in place of a configuration file')
    .option(
      '--from <time>',
      'only records journalled at or after: RFC 3339, or a duration ago such as 2h',
      instant,
    )
    .option('--to <time>', 'only records journalled before, written alike', instant)
    .option('--json', 'machine-readable')
    .action(async (configPath: string | undefined, flags: Flags) => {
      const range = rangeOf(flags);
      const { verify } = await import('../app/verify.ts');
      const result = await verify(placesOf(configPath, flags), range, io);
      if (flags.json) printJson(io.stdout, result);
      else printVerification(io, result);
      if (!result.consistent) throw inconsistent(result);
    });
}

function rangeOf({ from, to }: Flags): { readonly fromMs: number; readonly toMs: number } {
  const fromMs = from?.getTime() ?? -Infinity;
  const toMs = to?.getTime() ?? Infinity;
  if (fromMs < toMs) return { fromMs, toMs };
  throw new ActionstreamError('USAGE', '--from must be before --to: nothing lies between them');
}

function inconsistent({ sinks }: VerifyResult): ActionstreamError {
  const waiting = Object.values(sinks).reduce((sum, { undelivered }) => sum + undelivered, 0);
  const differing = Object.values(sinks).reduce((sum, sink) => sum + sink.differing, 0);
  return new ActionstreamError(
    'NOT_CONSISTENT',
    `${differing} differences, ${waiting} records not delivered yet; a run with this journal delivers what waits`,
  );
}

function printVerification(io: CliIo, { consistent, journal, sinks, differences }: VerifyResult): void {
  const { firstOffset, nextOffset, episodes, lost } = journal;
  const damaged = lost > 0 ? `, ${lost} damaged and lost` : '';
  printLine(io.stdout, `journal   ${nextOffset - firstOffset} records, ${episodes} episodes${damaged}`);
  for (const [name, sink] of Object.entries(sinks)) {
    const { compared, undelivered, duplicates, deadLetters, expired, foreign } = sink;
    const counts = [
      ...[`${compared} compared`, `${undelivered} undelivered`, `${duplicates} duplicates`],
      ...[`${deadLetters} dead letters`, `${expired} expired`, `${foreign} of others`],
    ];
    printLine(io.stdout, `${name.padEnd(9)} ${counts.join(', ')}, ${sink.differing} differences`);
  }
  for (const { sink, problem, subject, detail } of differences) {
    printLine(io.stdout, `DIFFERENT ${sink} ${problem} ${subject}: ${detail}`);
  }
  const unlisted =
    Object.values(sinks).reduce((sum, { differing }) => sum + differing, 0) - differences.length;
  if (unlisted > 0) printLine(io.stdout, `and ${unlisted} more`);
  printLine(io.stdout, consistent ? 'consistent: nothing lost' : 'NOT consistent');
}
