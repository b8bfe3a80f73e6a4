import { availableParallelism } from 'node:os';
import type { Config } from '../config/index.ts';
import type { Logger } from '../core/logger.ts';
import { Resources } from '../core/resources.ts';
import type { InferenceEngine } from '../inference/engine.ts';
import { EngineScheduler } from '../inference/scheduler/engine-scheduler.ts';
import type { EngineSpec } from '../inference/worker/spec.ts';
import { createWorkerEngine, type WorkerEngineOptions } from '../inference/worker/worker-engine.ts';

/**
 * The engines of a run, each in a process of its own, and the scheduler that gives their time to the
 * streams. They open side by side. Where one cannot be opened, the others are freed. The log names their
 * devices.
 * @throws what building an engine threw
 */
export async function openEngines(
  options: WorkerEngineOptions,
  settings: Config['engine'],
  streams: number,
): Promise<EngineScheduler> {
  const scheduler = new EngineScheduler(await openAll(options, settings, streams), settings.batch);
  logReady(scheduler, settings, options.logger);
  return scheduler;
}

async function openAll(
  options: WorkerEngineOptions,
  settings: Config['engine'],
  streams: number,
): Promise<readonly InferenceEngine[]> {
  const { processes, threads } = shareCores(settings, streams, availableParallelism());
  const { maxClips } = settings.batch;
  const spec: EngineSpec = { ...options.spec, maxClips, ...(threads !== undefined && { threads }) };
  const opened = await Promise.allSettled(
    Array.from({ length: processes }, () => createWorkerEngine({ ...options, spec })),
  );
  const engines = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = opened.find((one) => one.status === 'rejected');
  if (!failed) return engines;
  const resources = new Resources();
  for (const engine of engines) resources.add(engine);
  await resources[Symbol.asyncDispose]();
  throw failed.reason;
}

function logReady(scheduler: EngineScheduler, settings: Config['engine'], logger: Logger): void {
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

type EngineShare = Pick<Config['engine'], 'kind' | 'provider' | 'processes' | 'threads'>;

/** Each takes the memory of a network: more are opened only on demand. */
const MOST_PROCESSES = 8;

/**
 * How many processes, and how many threads in each. A clip costs about twice the processor time on two
 * threads, because small layers leave the second one waiting (ADR 0021). So several streams get one
 * engine per core, and a single stream gets one engine with all cores. A GPU serves one process only.
 */
export function shareCores(
  { kind, provider = 'cpu', processes, threads }: EngineShare,
  streams: number,
  cores: number,
): { readonly processes: number; readonly threads?: number } {
  const onCores = kind === 'onnx' && provider === 'cpu';
  const wanted = processes ?? (onCores ? Math.max(1, Math.min(streams, cores, MOST_PROCESSES)) : 1);
  if (threads !== undefined) return { processes: wanted, threads };
  return wanted === 1
    ? { processes: 1 }
    : { processes: wanted, threads: Math.max(1, Math.floor(cores / wanted)) };
}
