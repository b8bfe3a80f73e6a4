/** What `/metrics` tells, in this order; docs/metrics.md is generated from it. Base units; labels hold no unbounded value. */
export const METRICS = {
  actionstream_build_info: gauge('1; what runs.', 'version', 'engine', 'device', 'model'),
  actionstream_stream_up: gauge('1 while the source gives pictures, else 0.', 'stream_id'),
  actionstream_stream_lag_seconds: gauge(
    'Freshness: time since the last frame of the newest processed clip was received. Grows where a stream stalls or is not kept up with.',
    'stream_id',
  ),
  actionstream_stream_queue_length: gauge('Clips that wait for their turn.', 'stream_id'),
  actionstream_stream_queue_capacity: gauge('Clips that may wait: `queue_clips`.', 'stream_id'),
  actionstream_stream_delta: gauge(
    'Bin width δ of sampler `ordered` that the newest clip was computed with.',
    'stream_id',
  ),
  actionstream_stream_reconnects_total: counter('Connections lost.', 'stream_id', 'reason'),
  actionstream_stream_clock_faults_total: counter(
    'Faults of the clock of a source or of the machine, noticed and followed.',
    'stream_id',
    'reason',
  ),
  actionstream_frames_decoded_total: counter('Pictures decoded.', 'stream_id'),
  actionstream_frames_dropped_total: counter('Pictures that became part of no clip.', 'stream_id', 'reason'),
  actionstream_clips_total: counter('Clips processed: scored and journalled.', 'stream_id'),
  actionstream_clips_dropped_total: counter('Clips dropped before inference.', 'stream_id', 'reason'),
  actionstream_input_steps_total: counter('Time steps before the sampler.', 'stream_id'),
  actionstream_kept_steps_total: counter('Time steps that the sampler kept.', 'stream_id'),
  actionstream_multiply_adds_total: counter(
    'Multiply-adds of processed clips: `used`; `dense`, as without adaptation; `reused`, not spent because earlier clips had computed them.',
    'stream_id',
    'kind',
  ),
  actionstream_action_events_total: counter('Events journalled.', 'label', 'state'),
  actionstream_engines: gauge('Engine processes.'),
  actionstream_engine_queue_length: gauge('Clips that wait for an engine, one a stream at most.'),
  actionstream_engine_busy_seconds_total: counter('Time that engines have spent on clips, all together.'),
  actionstream_engine_calls_total: counter(
    'Calls of engines, by the number of clips in them: more than 1 where `engine.batch` allows it.',
    'clips',
  ),
  actionstream_engine_restarts_total: counter('Engine processes that were lost and replaced.'),
  actionstream_engine_retries_total: counter('Clips tried again because their engine process was lost.'),
  actionstream_budget_delta_scale: gauge('The factor by which δ of live streams is raised at present.'),
  actionstream_budget_delta_scale_limit: gauge('The largest it may be: `max_delta_scale`.'),
  actionstream_budget_latency_p95_seconds: gauge(
    'Measured over the last 5 s: 95 of 100 live clips, from last frame to scores.',
  ),
  actionstream_budget_latency_p95_target_seconds: gauge('What it may be.'),
  actionstream_budget_multiply_adds_per_second: gauge('Measured over the last 5 s: live clips together.'),
  actionstream_budget_multiply_adds_per_second_target: gauge('What it may be, where set.'),
  actionstream_budget_utilisation_ratio: gauge('Share of the engines’ time that live clips take.'),
  actionstream_budget_backlog_ratio: gauge('Of the fullest live queue, the share that is taken.'),
  actionstream_sink_lag_records: gauge(
    'Journalled records that the sink has yet to take; also of a sink that is not configured any more.',
    'sink',
  ),
  actionstream_sink_lag_seconds: gauge('Age of the oldest of them; 0 where there is none.', 'sink'),
  actionstream_sink_unreadable_records_total: counter(
    'Records that were damaged in the journal and not delivered.',
    'sink',
  ),
  actionstream_sink_given_up_records_total: counter(
    'Records of a sink that is not configured, deleted because the journal needed their room.',
    'sink',
  ),
  actionstream_sink_foreign_writes_total: counter(
    'Times that another run of the program was found to write the stream into the same database.',
    'sink',
    'stream_id',
  ),
  actionstream_journal_bytes: gauge('Bytes of the journal on disk.'),
  actionstream_journal_shed_records_total: counter('Clip statistics refused for want of room.'),
  actionstream_journal_waiting_appends: gauge('Appends that wait for a sink to catch up or for disk space.'),
  actionstream_journal_stalls_total: counter('How often appends had to begin waiting.'),
  actionstream_journal_disk_full_retries_total: counter('Writes repeated because the disk was full.'),
} as const;

export type MetricName = keyof typeof METRICS;

export interface Metric {
  readonly kind: 'gauge' | 'counter';
  readonly help: string;
  readonly labels: readonly string[];
}

function gauge(help: string, ...labels: readonly string[]): Metric {
  return { kind: 'gauge', help, labels };
}

function counter(help: string, ...labels: readonly string[]): Metric {
  return { kind: 'counter', help, labels };
}
