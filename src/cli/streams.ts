import type { Command } from 'commander';
import type { FleetPlaces, ListedStream } from '../app/fleet/streams.ts';
import { isSection } from '../config/layers.ts';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import type { CliIo } from './io.ts';
import { printJson, printTable } from './io.ts';
import { addLoginFlags, readLogin, type LoginFlags } from './source-login.ts';

interface PlaceFlags {
  readonly kafka?: string;
  readonly topic?: string;
  readonly json?: true;
}

type AddFlags = PlaceFlags & LoginFlags & { readonly settings?: string; readonly paused?: true };

/** `streams add | ls | rm | pause | resume`: the streams of a fleet. */
export function addStreamsCommand(program: Command, io: CliIo): void {
  const streams = program
    .command('streams')
    .description('the streams that workers of a fleet share (`run --fleet`)');
  const load = () => import('../app/fleet/streams.ts');

  const add = addLoginFlags(
    streams
      .command('add <id> <url> [config.yaml]')
      .description('a camera or file that some worker shall watch'),
  )
    .option('--settings <json>', 'more settings of a stream, as in docs/config.md: {"window":{"stride":8}}')
    .option('--paused', 'declared, and not watched yet');
  withPlace(add).action(async (id: string, url: string, configPath: string | undefined, flags: AddFlags) => {
    const { username, password } = await readLogin(flags, io);
    const definition = {
      ...settingsOf(flags),
      ...{ id, url },
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(flags.paused && { paused: true }),
    };
    const added = await (await load()).addStream(definition, placeOf(configPath, flags), io);
    print(io, [added], flags);
  });

  withPlace(
    streams.command('ls [config.yaml]').description('all streams of the fleet, without secrets'),
  ).action(async (configPath: string | undefined, flags: PlaceFlags) => {
    print(io, await (await load()).listStreams(placeOf(configPath, flags), io), flags);
  });

  withPlace(
    streams.command('rm <id> [config.yaml]').description('ends and removes a stream; its history stays'),
  ).action(async (id: string, configPath: string | undefined, flags: PlaceFlags) => {
    print(io, [await (await load()).removeStream(id, placeOf(configPath, flags), io)], flags);
  });

  for (const [name, paused, description] of PAUSES) {
    withPlace(streams.command(`${name} <id> [config.yaml]`).description(description)).action(
      async (streamId: string, configPath: string | undefined, flags: PlaceFlags) => {
        const { pauseStream } = await load();
        print(io, [await pauseStream({ streamId, paused }, placeOf(configPath, flags), io)], flags);
      },
    );
  }
}

const PAUSES = [
  ['pause', true, 'ends its open episodes and watches the stream no longer'],
  ['resume', false, 'watches a paused stream again'],
] as const;

function withPlace(command: Command): Command {
  return command
    .option('--kafka <brokers>', 'brokers, in place of a configuration file')
    .option('--topic <name>', 'topic of the definitions, where it is not the one of the file')
    .option('--json', 'one JSON line a stream');
}

function placeOf(configPath: string | undefined, { kafka, topic }: PlaceFlags): FleetPlaces {
  return {
    ...(configPath !== undefined && { configPath }),
    ...(kafka !== undefined && { kafka }),
    ...(topic !== undefined && { topic }),
  };
}

function settingsOf({ settings = '{}' }: AddFlags): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(settings);
  } catch (error) {
    throw new ActionstreamError('USAGE', `--settings is no JSON: ${messageOf(error)}`);
  }
  if (isSection(parsed)) return parsed;
  throw new ActionstreamError('USAGE', '--settings: expected an object such as {"window":{"stride":8}}');
}

function print(io: CliIo, streams: readonly ListedStream[], { json }: PlaceFlags): void {
  if (json) {
    for (const { partition, definition } of streams) printJson(io.stdout, { ...definition, partition });
    return;
  }
  const rows = streams.map(({ partition, definition: { id, url, paused } }) => [
    id,
    String(url),
    paused === true ? 'paused' : 'watched',
    String(partition),
  ]);
  printTable(io.stdout, [['STREAM', 'SOURCE', 'WISH', 'PARTITION'], ...rows]);
}
