import type { Writable } from 'node:stream';
import type { RunReport } from '../cli/run-types.ts';
import type { Config } from '../config/index.ts';
import { messageOf, toActionstreamError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { StreamStatus } from '../core/records.ts';
import { Resources } from '../core/resources.ts';
import { endAfterRestart } from '../events/index.ts';
import type { EngineInfo } from '../inference/engine.ts';
import type { EngineScheduler } from '../inference/scheduler/engine-scheduler.ts';
import { findFfmpeg } from '../ingest/index.ts';
import { startMetricsServer } from '../metrics/server.ts';
import type { BudgetTargets } from '../pipeline/budget/budget-controller.ts';
import { createComputeBudget } from '../pipeline/budget/compute-budget.ts';
import { runStreams } from '../pipeline/run-streams.ts';
import type { PipelineObserver } from '../pipeline/types.ts';
import type { EventSink } from '../sink/event-sink.ts';
import { openJournal } from '../sink/journal/open-journal.ts';
import type { Journal } from '../sink/journal/types.ts';
import { openWatchedTimes } from '../sink/journal/watched-times.ts';
import { engineSpecOf } from './engine-spec.ts';
import { modelChoice } from './model-choice.ts';
import { startDeliveries } from './deliveries.ts';
import { openEngines } from './open-engines.ts';
import { openSinks } from './open-sinks.ts';
import { createRunMetrics } from './run-metrics.ts';
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
  readonly observer?: PipelineObserver & { onReady?(info: EngineInfo): void };
}

/** A sink that cannot be reached at the start delays; one that refuses us stops the start. */
const FIRST_OPEN_MS = 5000;

/**
 * The main job: opens journal, sinks and engine, runs every stream until its end or the signal, then closes episodes,
 * drains the sinks within a deadline and disposes everything in reverse order.
 * @throws ActionstreamError where the start fails; nothing is left behind
 */
export async function runPipeline(
  config: Config,
  context: RunContext,
  signal: AbortSignal,
): Promise<RunReport> {
  const { logger, observer } = context;
  const ffmpeg = await findFfmpeg(context.env);
  const { model, sampler, engine } = config;
  const spec = engineSpecOf(modelChoice({ ...model, ...sampler, ...engine, engine: engine.kind }));
  await using resources = new Resources();
  const sinks = openSinks(config, { logger, stdout: context.stdout }).map((sink) => resources.add(sink));
  const consumers = sinks.map((sink) => sink.name);
  const journal = resources.add(await openJournal({ ...config.journal, consumers, logger }));
  const watched = resources.add(await openWatchedTimes(config.journal.dir, logger));
  await refuseEarly(sinks, logger);
  const { entryUrl } = context;
  const scheduler = resources.add(
    await openEngines(
      { entryUrl, spec, logger, clipTimeoutMs: engine.clipTimeoutMs },
      config.engine,
      config.streams.length,
    ),
  );
  tellReady(scheduler, config.engine, logger);
  const budget = createComputeBudget(budgetTargets(engine, scheduler.info), {
    engines: scheduler.read().engines,
    logger,
  });
  const statuses = createStatusLog(journal, logger);
  const metrics = createRunMetrics();
  const recordings = await recordingDigests(config.streams, signal);
  const jobs = config.streams.map((stream) =>
    createStreamJob(stream, {
      scheduler,
      runIds: { spec, recordings },
      budget,
      pipeline: { instance: config.instance, version: context.version },
      log: journal,
      watched,
      recordStatus(status) {
        metrics.onStatus(status);
        statuses.record(status);
      },
      logger,
      ffmpegPath: ffmpeg.path,
      observer: metrics.observing(observer),
    }),
  );
  if (config.metrics) {
    const parts = {
      ...{ version: context.version, scheduler, budget, journal },
      streams: jobs.map(({ clips }) => clips),
    };
    const server = resources.add(await startMetricsServer(config.metrics, () => metrics.samples(parts)));
    logger.info({ url: server.url }, 'metrics are served');
  }
  observer?.onReady?.(scheduler.info);

  await endOpenEpisodes(journal, logger);
  const deliveries = startDeliveries(journal, sinks, logger);
  const streamsEnded = new AbortController();
  const budgeting = budget.run(streamsEnded.signal);
  const outcomes = await runStreams(jobs, { signal, logger });
  streamsEnded.abort();
  await budgeting;
  await statuses.settled();
  return { outcomes, undelivered: await deliveries.finish(signal) };
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

/** Journals what streams tell, without holding them up; `settled` waits for the last of it. */
function createStatusLog(journal: Journal, logger: Logger) {
  let tail: Promise<unknown> = Promise.resolve();
  return {
    record: (payload: StreamStatus): void => {
      const appended = journal.append([{ type: 'stream.status', payload }]).catch((error: unknown) => {
        logger.error(
          { stream_id: payload.stream_id, cause: messageOf(error) },
          'stream status could not be journalled',
        );
      });
      tail = Promise.all([tail, appended]);
    },
    settled: () => tail,
  };
}

/** Episodes that a crash left open end with reason `restart`, before anything new is journalled. */
async function endOpenEpisodes(journal: Journal, logger: Logger): Promise<void> {
  const open = journal.openEpisodes();
  if (open.length === 0) return;
  logger.warn({ count: open.length }, 'ending episodes that the last run left open');
  await journal.append(open.map((event) => ({ type: 'action.event', payload: endAfterRestart(event) })));
}

async function refuseEarly(sinks: readonly EventSink[], logger: Logger): Promise<void> {
  for (const sink of sinks) {
    try {
      await sink.open(AbortSignal.timeout(FIRST_OPEN_MS));
    } catch (error) {
      const { retryable, code, message } = toActionstreamError(error);
      if (!retryable && code !== 'ABORTED') throw error;
      logger.warn(
        { sink: sink.name, cause: message },
        'sink cannot be reached yet; records wait in the journal',
      );
    }
  }
}
