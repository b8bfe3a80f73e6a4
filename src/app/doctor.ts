import { access, mkdir, statfs } from 'node:fs/promises';
import { constants } from 'node:fs';
import { version as nodeVersion } from 'node:process';
import { loadConfig, type Config } from '../config/index.ts';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import { silentLogger } from '../core/logger.ts';
import { createWorkerEngine } from '../inference/worker/worker-engine.ts';
import { findFfmpeg } from '../ingest/index.ts';
import type { AppContext } from './context.ts';
import { openSinks } from './open-sinks.ts';

/** One thing that must hold on this machine. `run` tells what it found, or throws with the remedy. */
export interface DoctorCheck {
  readonly name: string;
  run(): Promise<string>;
}

const TIMEOUT_MS = 10_000;

/**
 * `doctor`: checks what a run needs. The machine is checked always, sinks and journal where a
 * configuration names them.
 */
export function doctorChecks(configPath: string | undefined, context: AppContext): readonly DoctorCheck[] {
  const config = configPath === undefined ? undefined : loadConfig(configPath, { env: context.env });
  return [
    { name: 'node', run: () => Promise.resolve(nodeVersion) },
    { name: 'ffmpeg', run: () => ffmpegVersion(context) },
    ...engineChoices(config).map((engine) => ({
      name: `${engine.kind} engine`,
      run: () => engineAnswers(engine, context),
    })),
    ...(config ? [journalCheck(config), ...sinkChecks(config, context)] : []),
  ];
}

async function ffmpegVersion({ env }: AppContext): Promise<string> {
  const { path, version } = await findFfmpeg(env);
  return `${version} at ${path}`;
}

/** The engine of the configuration; without one both that could be chosen. */
function engineChoices(config: Config | undefined): readonly EngineChoice[] {
  return config ? [config.engine] : [{ kind: 'onnx' }, { kind: 'tfjs' }];
}

type EngineChoice = Pick<Config['engine'], 'kind' | 'provider' | 'withoutGpu'>;

/**
 * Loads the runtime in a process of its own and runs a tiny network once. Reports the device, and the
 * devices that were passed over.
 */
async function engineAnswers(
  { kind, provider, withoutGpu }: EngineChoice,
  { programs }: AppContext,
): Promise<string> {
  const network = { variant: 's3d', frames: 4, height: 32, width: 32, classes: 2, widthMultiplier: 0.125 };
  const spec = {
    engine: kind,
    model: { kind: 'untrained', network, seed: 0 },
    ...(provider && { provider }),
    ...(withoutGpu && { withoutGpu }),
  } as const;
  await using engine = await createWorkerEngine({ entryUrl: programs.engine, spec, logger: silentLogger });
  const { device, warmupMs, notices } = engine.info;
  return [`on ${device}, ready in ${Math.round(warmupMs)} ms`, ...notices].join('; ');
}

function journalCheck({ journal }: Config): DoctorCheck {
  return {
    name: 'journal',
    async run() {
      try {
        await mkdir(journal.dir, { recursive: true });
        await access(journal.dir, constants.W_OK);
      } catch (error) {
        const remedy = 'choose another journal.dir or change its owner';
        throw new ActionstreamError('JOURNAL_UNWRITABLE', `${journal.dir}: ${messageOf(error)}; ${remedy}`);
      }
      const { bavail, bsize } = await statfs(journal.dir);
      const freeBytes = bavail * bsize;
      const wanted = journal.maxBytes;
      const found = `${gibibytes(freeBytes)} free in ${journal.dir}, max_size is ${gibibytes(wanted)}`;
      if (freeBytes < wanted)
        throw new ActionstreamError('JOURNAL_UNWRITABLE', `${found}: lower max_size or free space`);
      return found;
    },
  };
}

function sinkChecks(config: Config, { stdout }: AppContext): readonly DoctorCheck[] {
  return openSinks(config, { logger: silentLogger, stdout }).map((sink) => ({
    name: sink.name,
    async run() {
      try {
        await sink.open(AbortSignal.timeout(TIMEOUT_MS));
        return foundOf(sink.name, config);
      } finally {
        await sink[Symbol.asyncDispose]();
      }
    },
  }));
}

/** What `open` has proved, and no more. */
function foundOf(sink: string, { sinks: { kafka, ndjson } }: Config): string {
  if (sink === 'kafka' && kafka)
    return `${kafka.brokers.join(', ')} answers; the topics are there, and this user may write to them`;
  if (sink === 'ndjson')
    return `${ndjson?.path === '-' ? 'standard output' : ndjson?.path} can be opened for writing`;
  return 'answers, and its schema is the one we write to';
}

function gibibytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
