import { setMaxListeners } from 'node:events';
import type { Config } from '../config/index.ts';
import type { Logger } from '../core/logger.ts';
import type { Resources } from '../core/resources.ts';
import type { EngineInfo } from '../inference/engine.ts';
import type { EngineScheduler } from '../inference/scheduler/engine-scheduler.ts';
import type { EngineSpec } from '../inference/worker/spec.ts';
import type { BudgetTargets } from '../pipeline/budget/budget-controller.ts';
import { createComputeBudget, type ComputeBudget } from '../pipeline/budget/compute-budget.ts';
import { openSinksOnce, startDeliveries, type Deliveries } from '../pipeline/deliveries.ts';
import { createRunLog, type RunLog } from '../pipeline/run-log.ts';
import type { EventSink } from '../sink/event-sink.ts';
import type { Journal } from '../sink/journal/types.ts';
import { openJournal } from '../sink/journal/open-journal.ts';
import { openWatchedTimes, type WatchedTimes } from '../sink/journal/watched-times.ts';
import type { ServiceContext } from './context.ts';
import { OrphanSearches } from './end-orphans.ts';
import type { FleetWorker } from './fleet/fleet-worker.ts';
import { HistoryUpkeep } from './history-upkeep.ts';
import { engineSpecOf } from './engine-spec.ts';
import { configuredModel } from './model-choice.ts';
import { openEngines } from './open-engines.ts';
import { openHttp, type RunHttp } from './open-http.ts';
import { allOf, openSinks } from './open-sinks.ts';

/** What every part of a run needs to open. Parts are added to `resources` in the order of their opening. */
export interface Opening {
  readonly context: ServiceContext;
  readonly logger: Logger;
  readonly resources: Resources;
  /** Sinks of whoever embeds the program. */
  readonly ownSinks: readonly EventSink[];
}

/** The way of a record out of the run, and the HTTP API that answers while it opens. */
export interface RunDelivery {
  readonly sinks: readonly EventSink[];
  readonly journal: Journal;
  readonly watched: WatchedTimes;
  readonly http: RunHttp | undefined;
  readonly deliveries: Deliveries;
  readonly log: RunLog;
  /** Aborts as the run is told to end, and where the journal fails. */
  readonly signal: AbortSignal;
}

/** Opens journal and sinks, and begins to deliver what earlier runs left. @throws what an opening threw */
export async function openDelivery(
  config: Config,
  { context: { stdout, version }, logger, resources, ownSinks }: Opening,
  stop: AbortSignal,
): Promise<RunDelivery> {
  const sinks = openSinks(config, { logger, stdout, ownSinks });
  resources.add(allOf(sinks), 'the sinks');
  const consumers = sinks.map((sink) => sink.name);
  const journal = resources.add(await openJournal({ ...config.journal, consumers, logger }), 'the journal');
  const watched = resources.add(await openWatchedTimes(config.journal.dir, logger), 'the watched times');
  // A journal that has failed ends the run as a signal does; the error comes at the end.
  const signal = AbortSignal.any([stop, journal.failed]);
  setMaxListeners(0, signal);
  const http = await openHttp(config, { version, logger });
  if (http) resources.add(http, 'the HTTP API');
  await openSinksOnce(sinks, signal, logger);
  const deliveries = resources.add(startDeliveries(journal, sinks, logger), 'the deliveries');
  return { sinks, journal, watched, http, deliveries, log: createRunLog(journal, signal, logger), signal };
}

/** Engines with the model, and who gets their time. */
export interface RunInference {
  readonly spec: EngineSpec;
  readonly scheduler: EngineScheduler;
  readonly budget: ComputeBudget;
}

/** Opens the engines of a run. @throws what building an engine threw */
export async function openInference(
  config: Config,
  { context, logger, resources }: Opening,
): Promise<RunInference> {
  const { engine } = config;
  const spec = engineSpecOf(configuredModel(config));
  const options = {
    ...{ entryUrl: context.programs.engine, spec, logger, clipTimeoutMs: engine.clipTimeoutMs },
  };
  const scheduler = resources.add(
    await openEngines(options, engine, config.fleet?.capacity ?? config.streams.length),
    'the engine',
  );
  const targets = budgetTargets(engine, scheduler.info);
  return {
    spec,
    scheduler,
    budget: createComputeBudget(targets, { engines: scheduler.read().engines, logger }),
  };
}

/** An event shall be known before the next clip of its length has passed. */
function budgetTargets({ budget }: Config['engine'], { frames, clip }: EngineInfo): BudgetTargets {
  return { ...budget, p95LatencyMs: budget.p95LatencyMs ?? (1000 * frames) / clip.fps };
}

/** Ends episodes that a lost journal left open in Postgres. Undefined where no Postgres is configured. */
export function openOrphanSearches(
  { instance, sinks: { postgres } }: Config,
  { log, deliveries }: RunDelivery,
  {
    logger,
    startedAtMs,
    worker,
  }: {
    readonly logger: Logger;
    readonly startedAtMs: number;
    readonly worker: FleetWorker | undefined;
  },
): OrphanSearches | undefined {
  if (!postgres) return undefined;
  return new OrphanSearches({
    ...{ log, logger, startedAtMs, postgres, instance },
    ...(worker && { epochOf: (streamId: string) => worker.epochOf(streamId) }),
    caughtUp: (until) => deliveries.caughtUp('postgres', until),
  });
}

/** Undefined where no Postgres is configured. */
export function openUpkeep(
  { sinks: { postgres } }: Config,
  { deliveries }: RunDelivery,
  logger: Logger,
): HistoryUpkeep | undefined {
  if (!postgres) return undefined;
  return new HistoryUpkeep({
    ...{ postgres, logger, retention: postgres.retention ?? {} },
    caughtUp: (until) => deliveries.caughtUp('postgres', until),
  });
}
