import { sleep } from '../core/abort.ts';
import { toActionstreamError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { Resources } from '../core/resources.ts';
import { endAfterRestart } from '../events/index.ts';
import { createWorkerEngine } from '../inference/worker/worker-engine.ts';
import { findFfmpeg } from '../ingest/index.ts';
import { runStreams } from '../pipeline/run-streams.ts';
import type { PipelineObserver, StreamOutcome } from '../pipeline/types.ts';
import { createDelivery, type Delivery } from '../sink/delivery.ts';
import type { EventSink } from '../sink/event-sink.ts';
import { openJournal } from '../sink/journal/open-journal.ts';
import type { Journal } from '../sink/journal/types.ts';
import type { EngineInfo } from '../inference/engine.ts';
import type { RunSettings } from './run-settings.ts';
import { createStreamJob } from './stream-job.ts';

export interface RunContext {
  readonly logger: Logger;
  readonly entryUrl: URL;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly observer?: PipelineObserver & { onReady?(info: EngineInfo): void };
}

export interface RunReport {
  readonly outcomes: readonly StreamOutcome[];
  /** Records that a sink has not accepted yet; they stay in the journal for the next run. */
  readonly undelivered: Readonly<Record<string, number>>;
}

/** How long a run waits at its end for the sinks to take what is journalled: after the last file, and when told to stop. */
const DRAIN_MS = { ended: 30_000, stopped: 5000 } as const;

/** A sink that cannot be reached at the start delays; one that refuses us stops the start. */
const FIRST_OPEN_MS = 5000;

/**
 * The main job: opens journal, sinks and engine, runs every stream until its end or the signal, then closes episodes,
 * drains the sinks within a deadline and disposes everything in reverse order.
 * @throws ActionstreamError where the start fails; nothing is left behind
 */
export async function runPipeline(
  settings: RunSettings,
  context: RunContext,
  signal: AbortSignal,
): Promise<RunReport> {
  const { logger, observer } = context;
  const ffmpeg = await findFfmpeg(context.env);
  await using resources = new Resources();
  const sinks = settings.sinks.map((sink) => resources.add(openedOnce(sink)));
  const consumers = sinks.map((sink) => sink.name);
  const journal = resources.add(await openJournal({ ...settings.journal, consumers, logger }));
  await refuseEarly(sinks, logger);
  const engine = resources.add(
    await createWorkerEngine({ entryUrl: context.entryUrl, spec: settings.engine, logger }),
  );
  const { info } = engine;
  tellReady(info, logger);
  observer?.onReady?.(info);

  const log = { append: (records: Parameters<Journal['append']>[0]) => journal.append(records) };
  await endOpenEpisodes(journal, logger);
  const jobs = settings.streams.map((stream) =>
    createStreamJob(stream, {
      engine,
      sampler: settings.sampler ?? info.sampler,
      pipeline: { instance: settings.instance, version: settings.version },
      log,
      logger,
      ffmpegPath: ffmpeg.path,
      ...(observer && { observer }),
    }),
  );
  const deliveries = startDeliveries(journal, sinks, logger);
  const outcomes = await runStreams(jobs, { signal, logger });
  const undelivered = await deliveries.finish(signal.aborted ? DRAIN_MS.stopped : DRAIN_MS.ended, signal);
  return { outcomes, undelivered };
}

function tellReady(info: EngineInfo, logger: Logger): void {
  const fields = {
    engine: info.engine,
    device: info.device,
    model: info.model.id,
    warmup_ms: Math.round(info.warmupMs),
  };
  logger.info(fields, 'engine ready');
  if (!info.model.id.startsWith('untrained-')) return;
  logger.warn(fields, 'UNTRAINED MODEL: its weights are random, its labels and scores mean nothing');
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
      const failure = toActionstreamError(error);
      if (!failure.retryable && failure.code !== 'ABORTED') throw failure;
      logger.warn(
        { sink: sink.name, cause: failure.message },
        'sink cannot be reached yet; records wait in the journal',
      );
    }
  }
}

/** `open` does its work once, however often delivery asks for it again. */
function openedOnce(sink: EventSink): EventSink {
  let opened = false;
  return {
    name: sink.name,
    async open(signal) {
      if (opened) return;
      await sink.open(signal);
      opened = true;
    },
    write: (batch, signal) => sink.write(batch, signal),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}

interface Deliveries {
  /** Waits until all is delivered or the deadline, ends the workers, and says what each sink still lacks. */
  finish(deadlineMs: number, signal: AbortSignal): Promise<Readonly<Record<string, number>>>;
}

function startDeliveries(journal: Journal, sinks: readonly EventSink[], logger: Logger): Deliveries {
  const stop = new AbortController();
  const workers = sinks.map((sink) => {
    const delivery = createDelivery({ journal, sink, logger });
    return { sink, delivery, running: delivery.run(stop.signal) };
  });
  for (const { sink, running } of workers) {
    running.catch((error: unknown) => {
      logger.error({ sink: sink.name, cause: toActionstreamError(error).message }, 'delivery ended');
    });
  }
  return {
    async finish(deadlineMs, signal) {
      await Promise.all(workers.map(({ delivery }) => drain(delivery, deadlineMs, signal)));
      stop.abort();
      await Promise.allSettled(workers.map(({ running }) => running));
      const { consumers } = journal.stats();
      return Object.fromEntries(workers.map(({ sink }) => [sink.name, consumers[sink.name]?.records ?? 0]));
    },
  };
}

/** A signal that comes while files drain shortens the wait. */
async function drain(delivery: Delivery, deadlineMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) {
    await delivery.drain(deadlineMs);
    return;
  }
  const shortened = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    const hurry = (): void => void sleep(DRAIN_MS.stopped, shortened.signal).then(resolve);
    signal.addEventListener('abort', hurry, { once: true, signal: shortened.signal });
  });
  await Promise.race([delivery.drain(deadlineMs), stopped]);
  shortened.abort();
}
