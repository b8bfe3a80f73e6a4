import type { ClipStats } from '../../core/records.ts';
import { mean, quantile } from './statistics.ts';
import type { StreamRun } from './types.ts';

/** What the statistics of a run's clips, and the log lines of its streams' ends, say about it. */
export function summariseClips(
  clips: readonly ClipStats[],
  log: string,
): Pick<StreamRun, 'clips' | 'dropped' | 'latencyMs' | 'receipts'> {
  const latencies = clips.map(({ compute }) => compute.latency_ms.e2e);
  const deltas = clips.flatMap(({ compute }) => compute.delta ?? []);
  const perStream = new Map<string, number>();
  for (const { stream_id: id } of clips) perStream.set(id, (perStream.get(id) ?? 0) + 1);
  return {
    clips: clips.length,
    dropped: sumOf(log, /"clips_dropped":(\d+)/g),
    latencyMs: {
      p50: quantile(latencies, 0.5),
      p95: quantile(latencies, 0.95),
      max: quantile(latencies, 1),
    },
    receipts: {
      keptSteps: mean(clips.map(({ compute }) => compute.kept_steps)),
      ...(deltas.length > 0 && { delta: { mean: mean(deltas), max: Math.max(...deltas) } }),
      fewestClips: clips.length === 0 ? 0 : Math.min(...perStream.values()),
      failed: sumOf(log, /"clips_failed":(\d+)/g),
    },
  };
}

function sumOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((sum, [, number]) => sum + Number(number), 0);
}
