#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { doctorChecks } from './app/doctor-checks.ts';
import { engineSpecOf } from './app/engine-spec.ts';
import { createDatabaseServices, createEventServices } from './app/event-services.ts';
import { createLogger } from './app/logger.ts';
import { readClips, readPixels } from './app/read-clips.ts';
import { runRequest } from './app/run-services.ts';
import { addConfigCommands } from './cli/config-commands.ts';
import { addDatabaseCommands } from './cli/database.ts';
import { addDoctorCommand } from './cli/doctor.ts';
import { addEventsCommand } from './cli/events.ts';
import { addInferCommand } from './cli/infer.ts';
import type { CliIo } from './cli/io.ts';
import { addModelsCommand } from './cli/models.ts';
import { addProbeCommand } from './cli/probe.ts';
import { createProgram, runProgram } from './cli/program.ts';
import { addRunCommand } from './cli/run.ts';
import { addSampleCommand } from './cli/sample.ts';
import { loadConfig } from './config/index.ts';
import { createWorkerEngine } from './inference/worker/worker-engine.ts';
import { findFfmpeg, probeSource } from './ingest/index.ts';
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

const { env } = io;
const version = packageJson.version;
const program = createProgram(io, version);
addRunCommand(program, io, {
  run: (request, observer, signal) =>
    runRequest(request, observer, { version, entryUrl, env, stdout: io.stdout, stderr: io.stderr, signal }),
});
addModelsCommand(program, io);
addInferCommand(program, io, {
  openEngine: (choice) =>
    createWorkerEngine({ entryUrl, spec: engineSpecOf(choice), logger: createLogger(io.stderr, 'warn') }),
  readClips: (input, window, info, signal) => readClips(input, info, { ...window, env }, signal),
  readPixels,
  createPixelPacker,
});
addSampleCommand(program, io);
addProbeCommand(program, io, {
  probe: async (target, signal) =>
    probeSource({ ...target, ffmpegPath: (await findFfmpeg(env)).path }, signal),
});
addConfigCommands(program, io, {
  load: (path) => loadConfig(path, { env }),
});
addDatabaseCommands(program, io, createDatabaseServices(env));
addEventsCommand(program, io, createEventServices(env));
addDoctorCommand(program, io, {
  checks: (configPath) =>
    Promise.resolve(
      doctorChecks(configPath, { env, entryUrl, nodeVersion: process.version, stdout: io.stdout }),
    ),
});
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
