import type { Command } from 'commander';
import { ActionstreamError } from '../core/errors.ts';
import type { DeadLetter } from '../sink/dead-letters.ts';
import type { CliIo } from './io.ts';
import { printJson, printLine, printTable } from './io.ts';
import { placesOf, type PlaceFlags } from './places.ts';

type Flags = PlaceFlags & { readonly json?: true };

/** `dlq ls | show | replay`: records that a sink could never accept. */
export function addDlqCommand(program: Command, io: CliIo): void {
  const load = () => import('../app/dead-letters.ts');
  const dlq = program.command('dlq').description('records that a sink refused for good (dead letters)');
  const command = (name: string, description: string): Command =>
    dlq
      .command(name)
      .description(description)
      .option('--postgres <url>', 'database, in place of a configuration file')
      .option('--kafka <brokers>', 'brokers, in place of a configuration file')
      .option('--json', 'one JSON line a letter');

  command('ls [config.yaml]', 'the letters of Kafka and Postgres: what was refused, and why').action(
    async (configPath: string | undefined, flags: Flags) => {
      const letters = await (await load()).deadLetters(placesOf(configPath, flags), io);
      if (flags.json) for (const letter of letters) printJson(io.stdout, letter);
      else printLetters(letters, io);
    },
  );

  command('show <id> [config.yaml]', 'one letter with its payload').action(
    async (id: string, configPath: string | undefined, flags: Flags) => {
      const letters = await (await load()).deadLetters(placesOf(configPath, flags), io, [id]);
      for (const letter of letters) {
        if (flags.json) printJson(io.stdout, letter);
        else printLine(io.stdout, `${letter.sink}: ${letter.reason}\n${letter.payload}`);
      }
    },
  );

  command('replay [config.yaml]', 'send the records again, once the sink can take them')
    .option('--journal <dir>', 'journal folder, in place of a configuration file')
    .option('--id <id...>', 'only these letters')
    .option('--all', 'every letter')
    .action(
      async (
        configPath: string | undefined,
        { id, all, json, ...flags }: Flags & { readonly id?: readonly string[]; readonly all?: true },
      ) => {
        if ((id === undefined) === (all === undefined))
          throw new ActionstreamError('USAGE', 'say what to send: --id ID or --all');
        const replays = await (await load()).replayDeadLetters(placesOf(configPath, flags), id, io);
        for (const replay of replays) {
          if (json) printJson(io.stdout, replay);
          else {
            const again = replay.refused ? `, ${replay.refused} of them refused again` : '';
            printLine(io.stdout, `${replay.sink}: ${replay.sent} records sent again${again}`);
            for (const lost of replay.lost)
              printLine(io.stderr, `${replay.sink}: ${lost} is not in the journal any more`);
          }
        }
        if (replays.some(({ refused = 0, lost }) => refused + lost.length > 0)) io.setExitCode(1);
      },
    );
}

function printLetters(letters: readonly DeadLetter[], { stdout }: CliIo): void {
  if (letters.length === 0) {
    printLine(stdout, 'no dead letters');
    return;
  }
  printTable(stdout, [
    ['SINK', 'AT', 'TYPE', 'ID', 'REASON'],
    ...letters.map(({ sink, at, type, record_id: id, reason }) => [sink, at, type, id, reason]),
  ]);
}
