import { ENGINE_METRICS } from './engine-metrics.ts';
import { MEDIA_METRICS } from './media-metrics.ts';
import { runCounter, runGauge, type Metrics } from './metric.ts';
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
  actionstream_config_last_reload_successful: runGauge(
    '1 while the configuration file as it was last read is in force; 0: it could not be used, and the old one is.',
    ({ reloads }) => (reloads.isLastGood ? 1 : 0),
  ),
  actionstream_config_last_reload_success_timestamp_seconds: runGauge(
    'When the configuration file in force was read.',
    ({ reloads }) => reloads.lastGoodMs / 1000,
  ),
  actionstream_config_reload_failures_total: runCounter(
    'Configuration files that could not be used when they were read again.',
    ({ reloads }) => reloads.failures,
  ),
  ...STREAM_METRICS,
  ...ENGINE_METRICS,
  ...SINK_METRICS,
  ...MEDIA_METRICS,
} as const satisfies Metrics;
