// The composition root: what the process is, the commands, the exit code. main.ts starts it.
import { setMaxListeners } from 'node:events';
import { addCommands } from './cli/commands.ts';
import { argumentsHeldPassword } from './cli/hide-arguments.ts';
import type { CliIo } from './cli/io.ts';
import { createProgram, runProgram } from './cli/program.ts';
import { createShutdown, type Shutdown } from './cli/shutdown.ts';
import { watchOutputs } from './cli/watch-outputs.ts';
import { redact } from './core/redact.ts';
import { programs, version } from './programs.ts';

redactCrashes();
const shutdown = handleSignals();
const outputs = watchOutputs({
  stdout: process.stdout,
  stderr: process.stderr,
  exit: (code) => process.exit(code),
});
const io: CliIo = {
  ...{ version, programs },
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: shutdown.signal,
  stdoutClosed: outputs.closed,
  outlive: () => {
    outputs.outlive();
  },
  onPhase: (phase) => {
    shutdown.onPhase(phase);
  },
  onHangup: (take) => {
    shutdown.onHangup(take);
  },
  setExitCode: (code) => {
    process.exitCode = code;
  },
};

if (argumentsHeldPassword) {
  io.stderr.write(
    'warning: a password on the command line can be read in the process list until this program hides it, and in the history of your shell; ' +
      'give it with --password-file, ACTIONSTREAM_SOURCE_PASSWORD or the configuration file\n',
  );
}
const program = createProgram(io, version);
addCommands(program, io);
await runProgram(program, process.argv.slice(2), io);
shutdown.onFinished();

/** What nobody catches ends the program, and its message may hold the URL of a camera or a database. */
function redactCrashes(): void {
  process.on('uncaughtException', (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`error INTERNAL: ${redact(text)}\n`);
    process.exit(1);
  });
}

/** The first signal asks to finish; a second one ends at once. SIGHUP asks a run to read its file again. */
function handleSignals(): Shutdown {
  const owner = createShutdown({
    stderr: process.stderr,
    hasTerminal: [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY),
    exit: (code) => process.exit(code),
    exitCode: () => (process.exitCode === undefined ? undefined : Number(process.exitCode)),
    openResources: () => process.getActiveResourcesInfo(),
  });
  // One listener a stream, and there may be many.
  setMaxListeners(0, owner.signal);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      owner.onSignal(name);
    });
  }
  return owner;
}
