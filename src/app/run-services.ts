import type { Writable } from 'node:stream';
import type { RunObserver, RunReport, RunRequest } from '../cli/run-types.ts';
import { configFromSources, loadConfig, type Config } from '../config/index.ts';
import { ActionstreamError, toActionstreamError } from '../core/errors.ts';
import type { EngineInfo } from '../inference/engine.ts';
import { findFfmpeg, probeSource } from '../ingest/index.ts';
import { createLogger } from './logger.ts';
import { runPipeline } from './run-pipeline.ts';

export interface RunServicesContext {
  readonly version: string;
  readonly entryUrl: URL;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Writable;
  /** Aborts when the reader of standard output has gone. */
  readonly stdoutClosed: AbortSignal;
  readonly stderr: Writable;
  readonly onPhase?: (phase: string) => void;
}

/** `run`: settles the configuration of file, environment and flags, then runs the pipeline. */
export async function runRequest(
  request: RunRequest,
  observer: RunObserver,
  { signal, stdoutClosed, ...context }: RunServicesContext & { readonly signal: AbortSignal },
): Promise<RunReport> {
  const config = configOf(request, context.env);
  const logger = createLogger(context.stderr, config.log.level);
  const durationsMs = await fileDurations(config, context.env, signal);
  const onReady = (info: EngineInfo): void => {
    observer.onReady(info, { durationsMs, ndjsonOnStdout: config.sinks.ndjson?.path === '-' });
  };
  const parts = { ...context, logger, observer: { ...observer, onReady } };
  if (config.sinks.ndjson?.path !== '-') return runPipeline(config, parts, signal);
  // Records go there: a run whose sink can never accept again ends, with its episodes and the other sinks in order.
  const stop = AbortSignal.any([signal, stdoutClosed]);
  try {
    const report = await runPipeline(config, parts, stop);
    if (!stdoutClosed.aborted || signal.aborted) return report;
  } catch (error) {
    if (!stdoutClosed.aborted || toActionstreamError(error).code !== 'ABORTED') throw error;
  }
  throw new ActionstreamError(
    'OUTPUT_CLOSED',
    'the reader of standard output went away, and the run has ended; the records it did not take wait in the journal: ' +
      'start again with a reader, or set sinks.ndjson.path to a file',
  );
}

function configOf({ configPath, sources, login, flags }: RunRequest, env: RunServicesContext['env']): Config {
  if (configPath === undefined) return configFromSources(sources, { env, overrides: flags, login });
  const streams =
    sources.length === 0
      ? {}
      : {
          streams: configFromSources(sources, { env }).streams.map(({ streamId, url }) => ({
            id: streamId,
            url,
            ...login,
          })),
        };
  return loadConfig(configPath, { env, overrides: { ...flags, ...streams } });
}

/** Lengths of the files among the streams, for the progress bar; what cannot be probed will fail, and say so, when it runs. */
async function fileDurations(
  { streams }: Config,
  env: RunServicesContext['env'],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const files = streams.filter(({ kind }) => kind === 'file');
  if (files.length === 0) return new Map();
  const { path } = await findFfmpeg(env);
  const entries = await Promise.all(
    files.map(async (stream) => {
      const { streamId } = stream;
      const report = await probeSource({ ...stream, ffmpegPath: path, seconds: 0.1 }, signal).catch(
        () => undefined,
      );
      return report?.durationMs === undefined ? [] : [[streamId, report.durationMs] as const];
    }),
  );
  return new Map(entries.flat());
}
