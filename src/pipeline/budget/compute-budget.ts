import type { Logger } from '../../core/logger.ts';
import { monotonicMs } from '../../core/time.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import { createBudgetController, type BudgetReading, type BudgetTargets } from './budget-controller.ts';
import { createLoadWindow, type ClipLoad } from './load-window.ts';

/** The compute budget that all live streams of a run share. */
export interface ComputeBudget {
  /**
   * A live stream's side of it. Files that are read as fast as possible have
   * none: they wait, and stay deterministic.
   */
  forStream(stream: BudgetedStream): StreamBudget;
  /** Watches and adjusts until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** For metrics. */
  read(): BudgetState;
}

export interface BudgetState {
  readonly targets: BudgetTargets;
  /** The factor by which δ is raised at present: 1 to `maxDeltaScale`. */
  readonly deltaScale: number;
  /** What was measured last; absent while there is no live stream. */
  readonly reading?: BudgetReading;
}

export interface BudgetedStream {
  /** Clips that wait for inference, and how many may. */
  readonly queue: { readonly length: number; readonly capacity: number };
}

export interface StreamBudget {
  /** The sampler for the next clip: with a larger δ where the budget is tight. */
  samplerFor(sampler: SamplerOptions): SamplerOptions;
  record(clip: ClipLoad): void;
  leave(): void;
}

const TICK_MS = 250;

export function createComputeBudget(
  targets: BudgetTargets,
  { engines, logger }: { readonly engines: number; readonly logger: Logger },
): ComputeBudget {
  const controller = createBudgetController(targets);
  const load = createLoadWindow(engines);
  const streams = new Set<BudgetedStream>();
  let last: BudgetReading | undefined;

  const tick = (): void => {
    if (streams.size === 0) {
      last = undefined;
      return;
    }
    const before = controller.deltaScale;
    const backlog = Math.max(...[...streams].map(({ queue }) => queue.length / queue.capacity));
    const nowMs = monotonicMs();
    const reading = { ...load.read(nowMs), backlog };
    last = reading;
    const after = controller.observe(reading, nowMs);
    if (after === before) return;
    load.resetLatencies();
    const fields = {
      delta_scale: Number(after.toFixed(3)),
      multiply_adds_per_second: Math.round(reading.multiplyAddsPerSecond),
      p95_latency_ms: Math.round(reading.p95LatencyMs),
      utilisation: Number(reading.utilisation.toFixed(2)),
      backlog: Number(backlog.toFixed(2)),
    };
    logger.info(fields, `compute budget: δ ${after > before ? 'raised' : 'lowered'}`);
  };

  return {
    forStream(stream) {
      streams.add(stream);
      return {
        samplerFor: (sampler) => widened(sampler, controller.deltaScale),
        record(clip) {
          load.add(clip, monotonicMs());
        },
        leave() {
          streams.delete(stream);
        },
      };
    },
    run: (signal) =>
      new Promise((resolve) => {
        const timer = setInterval(tick, TICK_MS);
        const stop = (): void => {
          clearInterval(timer);
          resolve();
        };
        signal.addEventListener('abort', stop, { once: true });
        if (signal.aborted) stop();
      }),
    read: () => ({ targets, deltaScale: controller.deltaScale, ...(last && { reading: last }) }),
  };
}

/** Only `ordered` has a δ; the other samplers cost what they cost. */
function widened(sampler: SamplerOptions, scale: number): SamplerOptions {
  if (sampler.kind !== 'ordered' || scale === 1) return sampler;
  return { ...sampler, width: sampler.width * scale };
}
