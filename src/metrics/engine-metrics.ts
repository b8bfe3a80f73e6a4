import { runCounter, runGauge, type Metrics } from './metric.ts';

export const ENGINE_METRICS = {
  actionstream_engines: runGauge('Engine processes.', ({ engines }) => engines.engines),
  actionstream_engine_queue_length: runGauge(
    'Clips that wait for an engine, one a stream at most.',
    ({ engines }) => engines.waiting,
  ),
  actionstream_engine_busy_seconds_total: runCounter(
    'Time that engines have spent on clips, all together.',
    ({ engines }) => engines.busyMs / 1000,
  ),
  actionstream_engine_calls_total: {
    kind: 'counter',
    help: 'Calls of engines, by the number of clips in them: more than 1 where `engine.batch` allows it.',
    labels: ['clips'],
    read: ({ engines }) => engines.calls.map((count, n) => [count, String(n + 1)]),
  },
  actionstream_engine_restarts_total: runCounter(
    'Engine processes that were lost and replaced.',
    ({ engines }) => engines.restarts,
  ),
  actionstream_engine_retries_total: runCounter(
    'Clips tried again because their engine process was lost.',
    ({ engines }) => engines.retries,
  ),
  actionstream_budget_delta_scale: runGauge(
    'The factor by which δ of live streams is raised at present.',
    ({ budget }) => budget.deltaScale,
  ),
  actionstream_budget_delta_scale_limit: runGauge(
    'The largest it may be: `max_delta_scale`.',
    ({ budget }) => budget.targets.maxDeltaScale,
  ),
  actionstream_budget_latency_p95_seconds: runGauge(
    'Measured over the last 5 s: 95 of 100 live clips, from last frame to scores.',
    ({ budget }) => budget.reading && budget.reading.p95LatencyMs / 1000,
  ),
  actionstream_budget_latency_p95_target_seconds: runGauge(
    'What it may be.',
    ({ budget }) => budget.targets.p95LatencyMs / 1000,
  ),
  actionstream_budget_multiply_adds_per_second: runGauge(
    'Measured over the last 5 s: live clips together.',
    ({ budget }) => budget.reading?.multiplyAddsPerSecond,
  ),
  actionstream_budget_multiply_adds_per_second_target: runGauge(
    'What it may be, where set.',
    ({ budget }) => budget.targets.multiplyAddsPerSecond,
  ),
  actionstream_budget_utilisation_ratio: runGauge(
    'Share of the engines’ time that live clips take.',
    ({ budget }) => budget.reading?.utilisation,
  ),
  actionstream_budget_backlog_ratio: runGauge(
    'Of the fullest live queue, the share that is taken.',
    ({ budget }) => budget.reading?.backlog,
  ),
} as const satisfies Metrics;
