// The composition root: the only file that names concrete classes; main.ts starts it.
import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ModelChoice } from './app/model-choice.ts';
import { watchOutputs } from './app/watch-outputs.ts';
import { addBenchCommand } from './cli/bench.ts';
import { addCalibrateCommand } from './cli/calibrate.ts';
import { addConfigCommands } from './cli/config-commands.ts';
import { addDatabaseCommands } from './cli/database.ts';
import { addDoctorCommand } from './cli/doctor.ts';
import { addEvaluateCommand } from './cli/evaluate.ts';
import { addEventsCommand } from './cli/events.ts';
import { argumentsHeldSecrets } from './cli/hide-arguments.ts';
import { addInferCommand } from './cli/infer.ts';
import type { CliIo } from './cli/io.ts';
import { addJournalCommand } from './cli/journal.ts';
import { addModelsCommand } from './cli/models.ts';
import { addProbeCommand } from './cli/probe.ts';
import { createProgram, runProgram } from './cli/program.ts';
import { addRunCommand } from './cli/run.ts';
import { addSampleCommand } from './cli/sample.ts';
import { createShutdown, type Shutdown } from './cli/shutdown.ts';
import { redact } from './core/redact.ts';
import { createPixelPacker } from './pipeline/pack-pixels.ts';

const packageJson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const entryUrl = new URL('./inference/worker/entry.js', import.meta.url);
const verifyUrl = new URL('./app/verify-entry.js', import.meta.url);
const visitUrl = new URL('./lab/models-report/visit-entry.js', import.meta.url);

redactCrashes();
const shutdown = handleSignals();
const io: CliIo = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: shutdown.signal,
  setExitCode: (code) => {
    process.exitCode = code;
  },
};
const outputs = watchOutputs({
  stdout: process.stdout,
  stderr: process.stderr,
  exit: (code) => process.exit(code),
});

if (argumentsHeldSecrets) {
  io.stderr.write(
    'warning: a password on the command line can be read in the process list until this program hides it, and in the history of your shell; ' +
      'give it with --password-file, ACTIONSTREAM_SOURCE_PASSWORD or the configuration file\n',
  );
}
// Each command loads what it needs when it runs: `--version` and `models` do not wait for Kafka clients.
const { env, stdout, stderr } = io;
const version = packageJson.version;
const program = createProgram(io, version);
addRunCommand(program, io, {
  run: async (request, observer, signal) => {
    outputs.outlive();
    const { runRequest } = await import('./app/run-services.ts');
    const onPhase = (phase: string): void => {
      shutdown.onPhase(phase);
    };
    const { closed: stdoutClosed } = outputs;
    const context = { version, entryUrl, env, stdout, stdoutClosed, stderr, signal, onPhase };
    return runRequest(request, observer, context);
  },
});
addModelsCommand(program, io, {
  measure: async (request, visited, signal) => {
    const { measureReport } = await import('./lab/models-report/measure-report.ts');
    return measureReport(request, { visited }, { entryUrl: visitUrl, nodeVersion: process.version, signal });
  },
  json: async (report) => (await import('./lab/models-report/report-json.ts')).reportJson(report),
  writePlots: async (report, accuracy, folder) =>
    (await import('./lab/models-report/services.ts')).writePlots(report, accuracy, folder),
  readAccuracy: async (file) => (await import('./lab/models-report/services.ts')).readAccuracy(file),
});
addInferCommand(program, io, {
  openEngine: async (choice) => {
    const { openEngine } = await import('./app/open-engine.ts');
    return openEngine(choice, { entryUrl, stderr });
  },
  async *readClips(input, window, info, signal) {
    const { readClips } = await import('./app/read-clips.ts');
    yield* readClips(input, info, { ...window, env }, signal);
  },
  readPixels: async (path) => (await import('./app/read-clips.ts')).readPixels(path),
  createPixelPacker,
});
addEvaluateCommand(program, io, {
  evaluate: async (request, observer, signal) => {
    const [{ evaluate }, { openEngine }] = await Promise.all([
      import('./lab/harness/evaluate.ts'),
      import('./app/open-engine.ts'),
    ]);
    const open = (choice: ModelChoice) => openEngine(choice, { entryUrl, stderr });
    return evaluate(request, observer, { version, env, openEngine: open }, signal);
  },
  agreement: async (request, observer, signal) => {
    const [{ measureAgreement }, { openEngine }] = await Promise.all([
      import('./lab/harness/measure-agreement.ts'),
      import('./app/open-engine.ts'),
    ]);
    const open = (choice: ModelChoice) => openEngine(choice, { entryUrl, stderr });
    return measureAgreement(request, observer, { version, env, openEngine: open }, signal);
  },
});
addCalibrateCommand(program, io, {
  calibrate: async (request, observer, signal) => {
    const [{ calibrate }, { openEngine }] = await Promise.all([
      import('./lab/harness/calibrate.ts'),
      import('./app/open-engine.ts'),
    ]);
    const open = (choice: ModelChoice) => openEngine(choice, { entryUrl, stderr });
    return calibrate(request, observer, { version, env, openEngine: open }, signal);
  },
});
addSampleCommand(program, io);
addBenchCommand(program, io, {
  run: async (request, progress) => {
    const { runBench } = await import('./lab/bench/run-bench.ts');
    const mainPath = fileURLToPath(new URL('./main.js', import.meta.url));
    const peerScript = fileURLToPath(new URL('../bench/peer/peer.py', import.meta.url));
    return runBench(request, { version, mainPath, peerScript, env, signal: io.signal }, progress);
  },
});
addProbeCommand(program, io, {
  probe: async (target, signal) => {
    const { findFfmpeg, probeSource } = await import('./ingest/index.ts');
    return probeSource({ ...target, ffmpegPath: (await findFfmpeg(env)).path }, signal);
  },
});
addConfigCommands(program, io, {
  load: async (path) => (await import('./config/index.ts')).loadConfig(path, { env }),
  check: async (path) => {
    const { loadConfig } = await import('./config/index.ts');
    const { checkConfig } = await import('./app/check-config.ts');
    const config = loadConfig(path, { env });
    return { streams: config.streams.length, note: await checkConfig(config) };
  },
});
addDatabaseCommands(program, io, async () =>
  (await import('./app/event-services.ts')).createDatabaseServices(env),
);
addEventsCommand(program, io, async () =>
  (await import('./app/event-services.ts')).createEventServices(env, verifyUrl),
);
addJournalCommand(program, io, async () =>
  (await import('./app/journal-services.ts')).createJournalServices(env),
);
addDoctorCommand(program, io, {
  checks: async (configPath) => {
    const { doctorChecks } = await import('./app/doctor-checks.ts');
    return doctorChecks(configPath, { env, entryUrl, nodeVersion: process.version, stdout });
  },
});
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

/** The first signal asks to finish; a second one ends at once. */
function handleSignals(): Shutdown {
  const owner = createShutdown({
    stderr: process.stderr,
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
