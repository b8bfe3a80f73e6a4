import type { Config, StreamSettings } from '../config/index.ts';
import { ActionstreamError, toActionstreamError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { StreamStatus } from '../core/records.ts';
import { Resources } from '../core/resources.ts';
import type { EngineInfo } from '../inference/engine.ts';
import { findFfmpeg } from '../ingest/index.ts';
import { MediaKeeper } from '../media/media-keeper.ts';
import { METRICS } from '../metrics/metric-list.ts';
import { createRenderer } from '../metrics/registry.ts';
import { createRunMetrics, type RunMetrics, type RunReading } from '../metrics/run-metrics.ts';
import { startMetricsServer } from '../metrics/server.ts';
import type { DeliveryReport } from '../pipeline/deliveries.ts';
import { Heartbeat } from '../pipeline/heartbeat.ts';
import { StreamSet } from '../pipeline/stream-set.ts';
import type { PipelineObserver, StreamOutcome } from '../pipeline/types.ts';
import type { EventSink } from '../sink/event-sink.ts';
import { buildJob, type JobParts } from './build-job.ts';
import { checkAgainst } from './check-config.ts';
import type { ServiceContext } from './context.ts';
import type { OrphanSearches } from './end-orphans.ts';
import { FleetChanges } from './fleet/fleet-changes.ts';
import { FleetWorker } from './fleet/fleet-worker.ts';
import { fileDurations } from './file-durations.ts';
import { createLogger } from './logger.ts';
import type { RunControl } from './open-http.ts';
import { ReloadRequests } from './reload-requests.ts';
import {
  openDelivery,
  openInference,
  openOrphanSearches,
  openUpkeep,
  type RunDelivery,
  type RunInference,
} from './run-parts.ts';
import { configSource, type ConfigSource, type RunRequest } from './run-request.ts';
import { StreamControl } from './stream-control.ts';

export interface RunObserver extends PipelineObserver {
  onReady(info: EngineInfo, outlook: RunOutlook): void;
}

export interface RunOutlook {
  /** Length of each file by stream id, where known. */
  readonly durationsMs: ReadonlyMap<string, number>;
  /** NDJSON goes to standard output: nothing else may. */
  readonly ndjsonOnStdout: boolean;
}

export interface RunReport extends DeliveryReport {
  readonly outcomes: readonly StreamOutcome[];
}

/** Each part has so long to close; the process ends without those that hang. */
const DISPOSE_MS = 2000;

/** `run`: resolves the configuration of file, environment and flags, then runs its streams. */
export async function run(
  request: RunRequest,
  observer: RunObserver,
  context: ServiceContext,
): Promise<RunReport> {
  const { env, signal, stdoutClosed } = context;
  context.outlive();
  const source = configSource(request, env);
  const text = source.readText();
  const config = source.path === undefined ? source.load() : source.load({ text });
  const logger = createLogger(context.stderr, config.log.level);
  const durationsMs = await fileDurations(config, env, signal);
  const ndjsonOnStdout = config.sinks.ndjson?.path === '-';
  const requests = new ReloadRequests();
  if (source.path !== undefined) {
    context.onHangup(() => {
      requests.request();
    });
  }
  const parts: RunParts = {
    ...{ context, logger, observer, source, text, requests, ownSinks: request.sinks ?? [] },
    onReady: (info) => {
      observer.onReady(info, { durationsMs, ndjsonOnStdout });
    },
  };
  if (!ndjsonOnStdout) return runConfig(config, parts, signal);
  // A run whose sink can never accept again ends, with its episodes and the other sinks in order.
  try {
    const report = await runConfig(config, parts, AbortSignal.any([signal, stdoutClosed]));
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

interface RunParts {
  readonly context: ServiceContext;
  readonly logger: Logger;
  readonly observer: PipelineObserver;
  readonly source: ConfigSource;
  /** Of the configuration file. */
  readonly text: string;
  readonly requests: ReloadRequests;
  readonly ownSinks: readonly EventSink[];
  readonly onReady: (info: EngineInfo) => void;
}

/**
 * One run, in these phases. After a signal it ends within 15 s: each phase has its own bound, and what hangs
 * beyond it is named in the log and left behind.
 *
 * - **starting**: journal and sinks open, delivery starts, the engine opens. A failure ends the run.
 * - **running**: every stream runs until its end or the signal.
 * - **journalling**: episodes end, and their last records become durable.
 * - **delivering**: the sinks catch up with the journal within a deadline.
 * - **closing**: everything is disposed in reverse order.
 *
 * @throws ActionstreamError where the start fails, or the journal while it runs; nothing is left behind
 */
async function runConfig(config: Config, parts: RunParts, stop: AbortSignal): Promise<RunReport> {
  const { context, logger, source, requests, ownSinks, onReady } = parts;
  const { onPhase } = context;
  const startedAtMs = Date.now();
  const ffmpeg = await findFfmpeg(context.env);
  onPhase('starting');
  await using resources = new Resources({
    disposeWithinMs: DISPOSE_MS,
    onDispose: (name) => {
      onPhase(`closing ${name}`);
    },
    onLate: (name) => {
      logger.error({ part: name }, 'a part of the program does not end; it is left behind');
    },
  });
  const opening = { context, logger, resources, ownSinks };
  const delivery = await openDelivery(config, opening, stop);
  const inference = await openInference(config, opening);
  const { journal, http, deliveries, log, signal } = delivery;
  const { scheduler, budget } = inference;
  const metrics = createRunMetrics();
  const worker = config.fleet && new FleetWorker(config.fleet, logger);
  const orphans = openOrphanSearches(config, delivery, { logger, startedAtMs, worker });
  const upkeep = openUpkeep(config, delivery, logger);
  const media = config.media && (await MediaKeeper.open(config.media, { ffmpegPath: ffmpeg.path, logger }));
  const onStatus = (status: StreamStatus): void => {
    metrics.onStatus(status);
    http?.newest.onStatus(status);
  };
  const heartbeat = new Heartbeat({ log, logger, onStatus });
  const opened = {
    ...{ delivery, inference, metrics, orphans, worker, media, heartbeat, onStatus },
    ffmpegPath: ffmpeg.path,
  };
  const { set, control, changes } = await openStreams(config, parts, opened);
  const reading = (): RunReading =>
    metrics.read({
      ...{ ...delivery, ...inference, version: context.version },
      jobs: () => set.jobs,
      reloads: () => control.reloads,
      upkeep: () => upkeep?.state,
      ...(media && { media }),
    });
  const render = createRenderer(METRICS, reading);
  http?.show({ engine: scheduler.info, journal, reading, metrics: render, ...(media && { media }) }, changes);
  if (config.metrics) {
    const server = resources.add(await startMetricsServer(config.metrics, render), 'the metrics server');
    logger.info({ url: server.url }, 'metrics are served');
  }
  onReady(scheduler.info);

  // Not waited for: with a full journal their room comes from the sinks, and streams begin without it.
  const ended = log.endOpenEpisodes();
  onPhase('ending the streams');
  const besides = (until: AbortSignal): readonly Promise<unknown>[] => [
    budget.run(until),
    heartbeat.run(until),
    ended.then(() => orphans?.run(until)),
    Promise.resolve(upkeep?.run(until)),
    Promise.resolve(media?.run(until)),
    requests.run(() => control.reload(), until),
    Promise.resolve(worker?.run(control, until)),
    ...(config.reload.watch && source.path !== undefined ? [requests.watch(source.path, until)] : []),
  ];
  const outcomes = await runBeside(set, besides, signal);
  onPhase('keeping the last media');
  await media?.finish(signal);
  onPhase('journalling the last records');
  await log.finish();
  onPhase('delivering the last records');
  const delivered = await deliveries.finish(signal);
  if (journal.failed.aborted) throw toActionstreamError(journal.failed.reason);
  return { outcomes, ...delivered };
}

interface OpenedStreams {
  readonly set: StreamSet<StreamSettings>;
  readonly control: StreamControl;
  /** Who takes requests to change them: in a fleet they go to its topic. */
  readonly changes: RunControl;
}

interface OpenedParts {
  readonly delivery: RunDelivery;
  readonly inference: RunInference;
  readonly metrics: RunMetrics;
  readonly orphans: OrphanSearches | undefined;
  readonly worker: FleetWorker | undefined;
  readonly media: MediaKeeper | undefined;
  readonly heartbeat: Heartbeat;
  /** Sees what streams say of themselves. */
  readonly onStatus: (status: StreamStatus) => void;
  readonly ffmpegPath: string;
}

/** The configured streams, none running yet, and what changes them while they run. */
async function openStreams(
  config: Config,
  { context, logger, observer, source, text }: RunParts,
  { delivery, inference, metrics, orphans, worker, media, heartbeat, onStatus, ffmpegPath }: OpenedParts,
): Promise<OpenedStreams> {
  const { fleet } = config;
  const { watched, http, log, signal } = delivery;
  const job: JobParts = {
    ...{ ...inference, log, logger, signal, ffmpegPath },
    // Another worker may have watched the streams of a fleet since this one did.
    ...(!fleet && { watched }),
    pipeline: { instance: config.instance, version: context.version },
    recordStatus(status) {
      onStatus(status);
      heartbeat.onStatus(status);
      log.recordStatus(status);
    },
    observer: metrics.observing(withMedia(http?.newest.observing(observer) ?? observer, media)),
    ...(media && { media }),
  };
  const set = new StreamSet<StreamSettings>({
    ...{ signal, logger, keepsServing: fleet !== undefined || config.http?.keepServing === true },
    build: (stream, after) => buildJob(stream, after, { ...job, ...epochOf(worker, stream) }),
    onAdded: (streamId) => orphans?.add(streamId),
    onRemoved(streamId) {
      media?.forget(streamId);
      metrics.forget(streamId);
      heartbeat.forget(streamId);
      http?.newest.forget(streamId);
    },
  });
  await Promise.all(config.streams.map((stream) => set.put(stream)));
  const control = new StreamControl({
    ...{ config, source, text, set, signal, logger, ffmpegPath },
    check: (stream) => {
      checkAgainst(stream, inference.scheduler.info, config);
    },
  });
  const changes = fleet && worker ? new FleetChanges(fleet, { worker, control, signal }) : control;
  return { set, control, changes };
}

function epochOf(
  worker: FleetWorker | undefined,
  { streamId }: StreamSettings,
): Pick<JobParts, 'writerEpoch'> {
  const writerEpoch = worker?.epochOf(streamId);
  return writerEpoch === undefined ? {} : { writerEpoch };
}

/** Media see events once they are journalled. */
function withMedia(observer: PipelineObserver, media: MediaKeeper | undefined): PipelineObserver {
  if (!media) return observer;
  return {
    onClip: (clip, scored, stats) => observer.onClip?.(clip, scored, stats),
    onEvents(events) {
      media.onEvents(events);
      observer.onEvents?.(events);
    },
  };
}

/** Runs the streams, and beside them what ends with them. */
async function runBeside(
  set: StreamSet<StreamSettings>,
  start: (until: AbortSignal) => readonly Promise<unknown>[],
  signal: AbortSignal,
): Promise<readonly StreamOutcome[]> {
  const streamsEnded = new AbortController();
  const beside = start(AbortSignal.any([signal, streamsEnded.signal]));
  const outcomes = await set.run().finally(() => {
    streamsEnded.abort();
  });
  await Promise.all(beside);
  return outcomes;
}
