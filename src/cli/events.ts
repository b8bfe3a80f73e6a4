import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { Option, type Command } from 'commander';
import { ActionstreamError } from '../core/errors.ts';
import type { ActionEvent } from '../core/records.ts';
import type { EventFilter } from '../sink/query.ts';
import type { CliIo } from './io.ts';
import { printJson, printLine, printTable } from './io.ts';
import { placesOf, type PlaceFlags } from './places.ts';
import { addRebuild } from './events-rebuild.ts';
import { addVerify } from './events-verify.ts';
import { duration, instant, positiveInteger, timeRangeOf } from './options.ts';

interface FilterFlags {
  readonly stream?: readonly string[];
  readonly label?: readonly string[];
  readonly site?: readonly string[];
  readonly tag?: readonly string[];
  readonly run?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly minDuration?: number;
}

/** `events query | export | tail | verify`: delivered events, and the proof that nothing is missing. */
export function addEventsCommand(program: Command, io: CliIo): void {
  const events = program
    .command('events')
    .description('query, export, follow, verify and rebuild delivered events');
  addQuery(events, io);
  addExport(events, io);
  addTail(events, io);
  addVerify(events, io);
  addRebuild(events, io);
}

function addQuery(events: Command, io: CliIo): void {
  const command = events
    .command('query [config.yaml]')
    .description('episodes in Postgres, newest first')
    .option('--postgres <url>', 'database, in place of a configuration file')
    .option('--limit <n>', 'rows of a page', positiveInteger, 50)
    .option('--cursor <text>', 'continue after a page (its last line names the cursor)')
    .option('--json', 'one JSON line an episode');
  type Flags = FilterFlags & PlaceFlags & { limit: number; cursor?: string; json?: true };
  addFilterFlags(command).action(async (configPath: string | undefined, flags: Flags) => {
    const { limit, cursor, json } = flags;
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const { query } = await import('../app/events.ts');
    const found = await query(placesOf(configPath, flags), { filter: filterOf(flags), page }, io);
    if (json) for (const event of found.events) printJson(io.stdout, event);
    else printEpisodes(io, found.events);
    if (found.cursor !== undefined) printLine(io.stderr, `more: --cursor ${found.cursor}`);
  });
}

function addExport(events: Command, io: CliIo): void {
  const command = events
    .command('export [config.yaml]')
    .description('all episodes in Postgres that match')
    .option('--postgres <url>', 'database, in place of a configuration file')
    .addOption(new Option('--format <name>', 'of the output').choices(['ndjson', 'csv']).default('ndjson'));
  type Flags = FilterFlags & PlaceFlags & { format: 'ndjson' | 'csv' };
  addFilterFlags(command).action(async (configPath: string | undefined, flags: Flags) => {
    const { exportLines } = await import('../app/events.ts');
    const { format } = flags;
    const lines = exportLines(placesOf(configPath, flags), { filter: filterOf(flags), format }, io);
    for await (const line of lines) await writeLine(io.stdout, line);
  });
}

function addTail(events: Command, io: CliIo): void {
  events
    .command('tail [config.yaml]')
    .description('follow events as they are delivered (Kafka) or journalled; ends with Ctrl-C')
    .option('--kafka <brokers>', 'brokers, in place of a configuration file')
    .option('--journal <dir>', 'journal folder, in place of Kafka')
    .option('--from-beginning', 'first what is there')
    .action(async (configPath: string | undefined, flags: PlaceFlags & { fromBeginning?: true }) => {
      const { tail } = await import('../app/events.ts');
      const from = flags.fromBeginning ? 'beginning' : 'end';
      for await (const { payload } of tail(placesOf(configPath, flags), from, io)) {
        await writeLine(io.stdout, JSON.stringify(payload));
      }
    });
}

function addFilterFlags(command: Command): Command {
  return command
    .option('--stream <id...>', 'only these streams')
    .option('--label <name...>', 'only these labels')
    .option('--site <name...>', 'only of streams of these sites')
    .option('--tag <tag...>', 'only of streams with one of these tags')
    .option('--run <id>', 'only this run of a file: its run_id', runIdOf)
    .option('--since <time>', 'begun at or after: RFC 3339, or a duration ago such as 2h', instant)
    .option('--until <time>', 'begun before, written alike', instant)
    .option('--min-duration <duration>', 'at least so long, such as 3s', duration);
}

function filterOf(flags: FilterFlags): EventFilter {
  const { stream, label, site, tag, run, minDuration } = flags;
  return {
    ...(stream && { streams: stream }),
    ...(label && { labels: label }),
    ...(site && { sites: site }),
    ...(tag && { tags: tag }),
    ...(run !== undefined && { runId: run }),
    ...timeRangeOf(flags),
    ...(minDuration !== undefined && { minDurationMs: minDuration }),
  };
}

function runIdOf(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text;
  throw new ActionstreamError('USAGE', `--run "${text}" is no run id; copy the run_id of an event`);
}

function printEpisodes(io: CliIo, events: readonly ActionEvent[]): void {
  const rows = events.map((event) => [
    event.stream_id,
    event.label,
    event.started_at,
    event.ended_at ?? 'open',
    event.score.peak.toFixed(2),
    `${event.compute.kept_steps}/${event.compute.input_steps}`,
    `${Math.round(event.compute.saved_ratio * 100)} %`,
  ]);
  printTable(io.stdout, [['STREAM', 'LABEL', 'STARTED', 'ENDED', 'PEAK', 'STEPS', 'SAVED'], ...rows]);
}

async function writeLine(stream: Writable, line: string): Promise<void> {
  if (!stream.write(`${line}\n`)) await once(stream, 'drain');
}
