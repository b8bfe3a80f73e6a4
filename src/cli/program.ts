import { Command, CommanderError } from 'commander';
import { ActionstreamError, toActionstreamError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import type { CliIo } from './io.ts';
import { printLine } from './io.ts';

/** Commander without process exits: every failure comes back as an exit code. */
export function createProgram(io: CliIo, version: string): Command {
  const program = new Command('actionstream')
    .description('camera streams and video files in, action events out to Kafka and Postgres')
    .version(version)
    .showHelpAfterError('(run with --help for usage)')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(redact(text)),
    })
    .exitOverride();
  return program;
}

/** Runs the command that `argv` names; the exit code is set on `io`. Errors become one line on stderr. */
export async function runProgram(program: Command, argv: readonly string[], io: CliIo): Promise<void> {
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      io.setExitCode(error.exitCode === 0 ? 0 : 2);
      return;
    }
    const failure = failureOf(error, io.signal);
    printLine(io.stderr, redact(`error ${failure.code}: ${failure.message}`));
    if (failure.code === 'INTERNAL' && failure.cause instanceof Error) {
      printLine(io.stderr, redact(failure.cause.stack ?? ''));
    }
    io.setExitCode(failure.exitCode);
  }
}

/**
 * After a signal, whatever a command throws is its way to end; only what happens
 * to the journal must not be hidden.
 */
function failureOf(error: unknown, { aborted }: AbortSignal): ActionstreamError {
  const failure = toActionstreamError(error);
  if (!aborted || failure.code.startsWith('JOURNAL_')) return failure;
  return new ActionstreamError('ABORTED', 'interrupted');
}
