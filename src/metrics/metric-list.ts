import { ENGINE_METRICS } from './engine-metrics.ts';
import type { Metrics } from './metric.ts';
import { SINK_METRICS } from './sink-metrics.ts';
import { STREAM_METRICS } from './stream-metrics.ts';

/**
 * What `/metrics` says, in this order, before the figures of the process;
 * docs/metrics.md is generated from it.
 */
export const METRICS = {
  actionstream_build_info: {
    kind: 'gauge',
    help: '1; what runs.',
    labels: ['version', 'engine', 'device', 'model'],
    read: ({ version, engine: { engine, device, model } }) => [[1, version, engine, device, model.id]],
  },
  ...STREAM_METRICS,
  ...ENGINE_METRICS,
  ...SINK_METRICS,
} as const satisfies Metrics;
