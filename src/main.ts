#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { engineSpecOf } from './app/engine-spec.ts';
import { createLogger } from './app/logger.ts';
import { readClips, readPixels } from './app/read-clips.ts';
import { addInferCommand } from './cli/infer.ts';
import type { CliIo } from './cli/io.ts';
import { addModelsCommand } from './cli/models.ts';
import { createProgram, runProgram } from './cli/program.ts';
import { addSampleCommand } from './cli/sample.ts';
import { createWorkerEngine } from './inference/worker/worker-engine.ts';
import { createPixelPacker } from './pipeline/pack-pixels.ts';

const packageJson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const entryUrl = new URL('./inference/worker/entry.js', import.meta.url);

const io: CliIo = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interruptSignal(),
  setExitCode: (code) => {
    process.exitCode = code;
  },
};
// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const logger = createLogger(io.stderr, io.env['ACTIONSTREAM_LOG_LEVEL'] ?? 'warn');
const program = createProgram(io, packageJson.version);
addModelsCommand(program, io);
addInferCommand(program, io, {
  openEngine: (choice) => createWorkerEngine({ entryUrl, spec: engineSpecOf(choice), logger }),
  readClips: (input, window, info, signal) => readClips(input, info, { ...window, env: io.env }, signal),
  readPixels,
  createPixelPacker,
});
addSampleCommand(program, io);
await runProgram(program, process.argv.slice(2), io);

/** The first SIGINT or SIGTERM asks to finish; a second one ends at once. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  }
  return controller.signal;
}
