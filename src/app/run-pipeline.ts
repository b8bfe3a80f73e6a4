import { setMaxListeners } from 'node:events';
import type { Writable } from 'node:stream';
import type { RunReport } from '../cli/run-types.ts';
import type { Config } from '../config/index.ts';
import { toActionstreamError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { Resources } from '../core/resources.ts';
import type { EngineInfo } from '../inference/engine.ts';
import type { EngineScheduler } from '../inference/scheduler/engine-scheduler.ts';
import { findFfmpeg } from '../ingest/index.ts';
import { METRICS } from '../metrics/metric-list.ts';
import { createRenderer } from '../metrics/registry.ts';
import { createRunMetrics } from '../metrics/run-metrics.ts';
import { startMetricsServer } from '../metrics/server.ts';
import type { BudgetTargets } from '../pipeline/budget/budget-controller.ts';
import { createComputeBudget } from '../pipeline/budget/compute-budget.ts';
import type { PipelineObserver } from '../pipeline/types.ts';
import { RecordsRefused, type EventSink } from '../sink/event-sink.ts';
import { openJournal } from '../sink/journal/open-journal.ts';
import { openWatchedTimes } from '../sink/journal/watched-times.ts';
import { endOrphans } from './end-orphans.ts';
import { engineSpecOf } from './engine-spec.ts';
import { modelChoice } from './model-choice.ts';
import { startDeliveries } from './deliveries.ts';
import { openEngines } from './open-engines.ts';
import { openSinks } from './open-sinks.ts';
import { createRunLog } from './run-log.ts';
import { runStreamsUntil } from './end-streams.ts';
import { recordingDigests } from './run-ids.ts';
import { createStreamJob } from './stream-job.ts';

export interface RunContext {
  readonly version: string;
  readonly logger: Logger;
  /** The inference process's program. */
  readonly entryUrl: URL;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For the NDJSON sink. */
  readonly stdout: Writable;
  /** Told what the run is doing, for whoever must end it by force. */
  readonly onPhase?: (phase: string) => void;
  readonly observer?: PipelineObserver & { onReady?(info: EngineInfo): void };
}

/** A sink that cannot be reached at the start delays; one that refuses us stops the start. */
const FIRST_OPEN_MS = 5000;
/** Each part has so long to close; the process ends without those that hang. */
const DISPOSE_MS = 2000;

/**
 * The main job: opens journal and sinks, starts delivery, opens the engine, runs every stream until its end or the
 * signal, then closes episodes, drains the sinks within a deadline and disposes everything in reverse order. Told to stop,
 * it ends within 15 s: each phase has its own bound, and what hangs beyond it is named in the log and left behind.
 * @throws ActionstreamError where the start fails, or the journal while it runs; nothing is left behind
 */
export async function runPipeline(
  config: Config,
  context: RunContext,
  stop: AbortSignal,
): Promise<RunReport> {
  const { logger, observer } = context;
  const startedAtMs = Date.now();
  const ffmpeg = await findFfmpeg(context.env);
  const { model, sampler, engine } = config;
  const spec = engineSpecOf(modelChoice({ ...model, ...sampler, ...engine, engine: engine.kind }));
  context.onPhase?.('starting');
  await using resources = new Resources({
    disposeWithinMs: DISPOSE_MS,
    onDispose: (name) => context.onPhase?.(`closing ${name}`),
    onLate: (name) => {
      logger.error({ part: name }, 'a part of the program does not end; it is left behind');
    },
  });
  const sinks = openSinks(config, { logger, stdout: context.stdout });
  resources.add(allOf(sinks), 'the sinks');
  const consumers = sinks.map((sink) => sink.name);
  const journal = resources.add(await openJournal({ ...config.journal, consumers, logger }), 'the journal');
  const watched = resources.add(await openWatchedTimes(config.journal.dir, logger), 'the watched times');
  // A journal that has failed ends the run as a signal does; it is told at the end.
  const signal = AbortSignal.any([stop, journal.failed]);
  setMaxListeners(0, signal);
  await refuseEarly(sinks, signal, logger);
  const deliveries = resources.add(startDeliveries(journal, sinks, logger), 'the deliveries');
  const { entryUrl } = context;
  const scheduler = resources.add(
    await openEngines(
      { entryUrl, spec, logger, clipTimeoutMs: engine.clipTimeoutMs },
      config.engine,
      config.streams.length,
    ),
    'the engine',
  );
  tellReady(scheduler, config.engine, logger);
  const budget = createComputeBudget(budgetTargets(engine, scheduler.info), {
    engines: scheduler.read().engines,
    logger,
  });
  const log = createRunLog(journal, signal, logger);
  const metrics = createRunMetrics();
  const recordings = await recordingDigests(config.streams, signal);
  const jobs = config.streams.map((stream) =>
    createStreamJob(stream, {
      scheduler,
      runIds: { spec, recordings },
      budget,
      pipeline: { instance: config.instance, version: context.version },
      log,
      watched,
      recordStatus(status) {
        metrics.onStatus(status);
        log.recordStatus(status);
      },
      logger,
      ffmpegPath: ffmpeg.path,
      observer: metrics.observing(observer),
    }),
  );
  if (config.metrics) {
    const parts = {
      ...{ version: context.version, scheduler, budget, journal, sinks },
      streams: jobs.map(({ clips }) => clips),
    };
    const server = resources.add(
      await startMetricsServer(
        config.metrics,
        createRenderer(METRICS, () => metrics.read(parts)),
      ),
      'the metrics server',
    );
    logger.info({ url: server.url }, 'metrics are served');
  }
  observer?.onReady?.(scheduler.info);

  // Not waited for: with a full journal their room comes from the sinks, and streams begin without it.
  const ended = log.endOpenEpisodes();
  const streamsEnded = new AbortController();
  const budgeting = budget.run(streamsEnded.signal);
  context.onPhase?.('ending the streams');
  const { postgres } = config.sinks;
  const searching =
    postgres &&
    endOrphans(
      {
        ...{ postgres, instance: config.instance, startedAtMs, log, logger },
        streamIds: jobs.map(({ clips }) => clips.streamId),
        async caughtUp(until) {
          await ended;
          return deliveries.caughtUp('postgres', until);
        },
      },
      AbortSignal.any([signal, streamsEnded.signal]),
    );
  const outcomes = await runStreamsUntil(jobs, { signal, logger }).finally(() => {
    streamsEnded.abort();
  });
  await Promise.all([budgeting, searching]);
  context.onPhase?.('journalling the last records');
  await log.finish();
  context.onPhase?.('delivering the last records');
  const delivered = await deliveries.finish(signal);
  if (journal.failed.aborted) throw toActionstreamError(journal.failed.reason);
  return { outcomes, ...delivered };
}

/** An event shall be known before the next clip of its length has passed. */
function budgetTargets({ budget }: Config['engine'], { frames, clip }: EngineInfo): BudgetTargets {
  return { ...budget, p95LatencyMs: budget.p95LatencyMs ?? (1000 * frames) / clip.fps };
}

function tellReady(scheduler: EngineScheduler, settings: Config['engine'], logger: Logger): void {
  const { engine, device, notices, model, warmupMs, batch } = scheduler.info;
  const origin = { engine, device, model: model.id, digest: model.digest };
  const fields = { ...origin, processes: scheduler.read().engines, warmup_ms: Math.round(warmupMs) };
  logger.info(fields, 'engine ready');
  if (settings.batch.maxClips > 1 && !batch)
    logger.warn({ engine }, `engine.batch does nothing: ${engine} computes clips one by one`);
  for (const notice of notices) logger.warn({ engine, device }, `running on ${device}: ${notice}`);
  if (!model.id.startsWith('untrained-')) return;
  logger.warn(fields, 'UNTRAINED MODEL: its weights are random, its labels and scores mean nothing');
}

/** Asks every sink once, all at the same time. @throws the refusal of the first that refuses us */
async function refuseEarly(sinks: readonly EventSink[], signal: AbortSignal, logger: Logger): Promise<void> {
  await Promise.all(
    sinks.map(async (sink) => {
      try {
        await sink.open(AbortSignal.any([signal, AbortSignal.timeout(FIRST_OPEN_MS)]));
      } catch (error) {
        const { retryable, code, message } = toActionstreamError(error);
        if (error instanceof RecordsRefused && !error.isWhole) {
          logger.error({ sink: sink.name, reason: message }, 'sink refuses some types of record; these wait');
          return;
        }
        if (!retryable && code !== 'ABORTED') throw error;
        logger.warn(
          { sink: sink.name, cause: message },
          'sink cannot be reached yet; records wait in the journal',
        );
      }
    }),
  );
}

/** Disposed at the same time: one that hangs holds up no other. */
function allOf(resources: readonly AsyncDisposable[]): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(resources.map((resource) => resource[Symbol.asyncDispose]()));
    },
  };
}
