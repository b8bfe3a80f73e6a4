import type { ComputeStats } from '../../core/compute.ts';
import type { BudgetReading } from './budget-controller.ts';

/** What the clips of the last seconds cost. */
export interface LoadWindow {
  add(clip: ClipLoad, nowMs: number): void;
  read(nowMs: number): Omit<BudgetReading, 'backlog'>;
  /** Forgets the latencies: what comes next is judged on its own. */
  resetLatencies(): void;
}

export interface ClipLoad {
  readonly compute: Pick<ComputeStats, 'multiplyAdds' | 'lowerMs' | 'samplerMs' | 'upperMs'>;
  /** From its last frame to its scores. */
  readonly latencyMs: number;
}

const WINDOW_MS = 5000;

/** `engines` clips can be computed at a time. */
export function createLoadWindow(engines: number): LoadWindow {
  let clips: { readonly atMs: number; readonly multiplyAdds: number; readonly busyMs: number }[] = [];
  let latencies: { readonly atMs: number; readonly latencyMs: number }[] = [];
  let startedAtMs: number | undefined;

  return {
    add({ compute, latencyMs }, nowMs) {
      const { multiplyAdds, lowerMs, samplerMs, upperMs } = compute;
      clips.push({ atMs: nowMs, multiplyAdds, busyMs: lowerMs + samplerMs + upperMs });
      latencies.push({ atMs: nowMs, latencyMs });
    },
    read(nowMs) {
      startedAtMs ??= nowMs;
      const from = nowMs - WINDOW_MS;
      clips = clips.filter(({ atMs }) => atMs > from);
      latencies = latencies.filter(({ atMs }) => atMs > from);
      const spanMs = Math.min(WINDOW_MS, Math.max(1000, nowMs - startedAtMs));
      return {
        multiplyAddsPerSecond: (1000 * sum(clips.map(({ multiplyAdds }) => multiplyAdds))) / spanMs,
        p95LatencyMs: p95(latencies.map(({ latencyMs }) => latencyMs)),
        utilisation: Math.min(1, sum(clips.map(({ busyMs }) => busyMs)) / (spanMs * engines)),
      };
    },
    resetLatencies() {
      latencies = [];
    },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function p95(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.ceil(0.95 * sorted.length) - 1] ?? 0;
}
