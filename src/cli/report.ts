import type { Command } from 'commander';
import type { SavingsReport } from '../app/savings.ts';
import type { CliIo } from './io.ts';
import { printJson, printLine, printTable } from './io.ts';
import { instant, timeRangeOf } from './options.ts';
import { placesOf, type PlaceFlags } from './places.ts';

interface SavingsFlags extends PlaceFlags {
  readonly stream?: readonly string[];
  readonly since?: Date;
  readonly until?: Date;
  readonly out?: string;
  readonly json?: true;
}

/** `report savings`: in words, as a table, as a plot. */
export function addReportCommand(program: Command, io: CliIo): void {
  program
    .command('report')
    .description('what the history tells')
    .command('savings [config.yaml]')
    .description('multiply-adds that were not spent, by stream and day (UTC)')
    .option('--postgres <url>', 'database, in place of a configuration file')
    .option('--stream <id...>', 'only these streams')
    .option('--since <time>', 'clips that begin at or after: RFC 3339, or a duration ago such as 7d', instant)
    .option('--until <time>', 'clips that begin before, written alike', instant)
    .option('--out <dir>', 'writes savings.svg and savings.png there')
    .option('--json', 'one JSON document')
    .action(async (configPath: string | undefined, flags: SavingsFlags) => {
      const { stream, out, json } = flags;
      const { reportSavings } = await import('../app/savings.ts');
      const range = { ...(stream && { streams: stream }), ...timeRangeOf(flags) };
      const report = await reportSavings(placesOf(configPath, flags), range, io);
      if (json) printJson(io.stdout, report);
      else print(report, io);
      if (out === undefined || report.clips === 0) return;
      const { plotSavings } = await import('../lab/index.ts');
      for (const file of await plotSavings(report, out)) printLine(io.stderr, file);
    });
}

function print(report: SavingsReport, { stdout }: CliIo): void {
  const { clips, streams, from, to } = report;
  if (clips === 0) {
    printLine(stdout, 'no clip of this time is in Postgres');
    return;
  }
  const dense = report.dense_multiply_adds.toExponential(2);
  const used = report.multiply_adds.toExponential(2);
  printLine(
    stdout,
    `${counted(clips, 'clip')} of ${counted(streams.length, 'stream')}, ${from} to ${to} (UTC).`,
  );
  printLine(
    stdout,
    `They took ${used} multiply-adds. Dense, each clip by itself, they would have taken ${dense}: ${percent(report.saved_ratio)} were saved.`,
  );
  const [most, least] = [streams[0], streams.at(-1)];
  if (most && least && most !== least) {
    const [highest, lowest] = [percent(most.saved_ratio), percent(least.saved_ratio)];
    printLine(
      stdout,
      `Most was saved at ${most.stream_id} (${highest}), least at ${least.stream_id} (${lowest}).`,
    );
  }
  printLine(stdout, '');
  printTable(stdout, [
    ['day', 'stream', 'clips', 'steps kept', 'multiply-adds', 'saved'],
    ...report.days.map((day) => [
      ...[day.day, day.stream_id, String(day.clips), percent(day.kept_steps / day.input_steps)],
      ...[day.multiply_adds.toExponential(2), percent(day.saved_ratio)],
    ]),
  ]);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(0)} %`;
}
