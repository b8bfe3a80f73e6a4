import type { ClipStats, StreamStatus } from '../core/records.ts';
import type { EngineScheduler } from '../inference/scheduler/engine-scheduler.ts';
import type { ClipStream } from '../ingest/types.ts';
import type { MetricName } from '../metrics/metric-list.ts';
import type { Sample } from '../metrics/exposition.ts';
import type { ComputeBudget } from '../pipeline/budget/compute-budget.ts';
import type { PipelineObserver } from '../pipeline/types.ts';
import type { EventSink } from '../sink/event-sink.ts';
import type { Journal } from '../sink/journal/types.ts';

/** What a run counts of itself, and what it reads where it is asked. */
export interface RunMetrics {
  /** Counts what it observes, and passes it on. */
  observing(observer: PipelineObserver | undefined): PipelineObserver;
  onStatus(status: StreamStatus): void;
  /** Reads the parts at this moment. */
  samples(parts: RunParts): readonly Sample[];
}

export interface RunParts {
  readonly version: string;
  readonly scheduler: Pick<EngineScheduler, 'info' | 'read'>;
  readonly budget: ComputeBudget;
  readonly journal: Pick<Journal, 'stats'>;
  readonly sinks: readonly Pick<EventSink, 'name' | 'foreignWrites'>[];
  readonly streams: readonly Pick<ClipStream, 'streamId' | 'counters' | 'queue'>[];
}

/** Of one stream: sums over its processed clips, and its newest one. */
interface StreamSums {
  clips: number;
  inputSteps: number;
  keptSteps: number;
  readonly multiplyAdds: { used: number; dense: number; reused: number };
  newest?: { readonly ingestedAtMs: number; readonly delta: number | undefined };
  state?: StreamStatus['state'];
}

export function createRunMetrics(now: () => number = Date.now): RunMetrics {
  const streams = new Map<string, StreamSums>();
  const events = new Map<string, { readonly label: string; readonly state: string; count: number }>();
  const sumsOf = (streamId: string): StreamSums => {
    const known = streams.get(streamId);
    if (known) return known;
    const fresh: StreamSums = {
      ...{ clips: 0, inputSteps: 0, keptSteps: 0 },
      multiplyAdds: { used: 0, dense: 0, reused: 0 },
    };
    streams.set(streamId, fresh);
    return fresh;
  };

  return {
    observing: (observer) => ({
      onClip(clip, scored, stats) {
        addClip(sumsOf(stats.stream_id), stats, scored.ingestedAtMs);
        observer?.onClip?.(clip, scored, stats);
      },
      onEvents(some) {
        for (const { label, state } of some) {
          const key = `${label} ${state}`;
          const known = events.get(key);
          if (known) known.count += 1;
          else events.set(key, { label, state, count: 1 });
        }
        observer?.onEvents?.(some);
      },
    }),
    onStatus({ stream_id: streamId, state }) {
      if (state !== 'gap') sumsOf(streamId).state = state;
    },
    samples: (parts) => [
      buildSample(parts),
      ...parts.streams.flatMap((stream) => streamSamples(stream, sumsOf(stream.streamId), now())),
      ...[...events.values()].map(({ label, state, count }) =>
        sample('actionstream_action_events_total', count, { label, state }),
      ),
      ...engineSamples(parts),
      ...budgetSamples(parts.budget),
      ...journalSamples(parts.journal, now()),
      ...sinkSamples(parts.sinks),
    ],
  };
}

function addClip(sums: StreamSums, { compute }: ClipStats, ingestedAtMs: number): void {
  sums.clips += 1;
  sums.inputSteps += compute.input_steps;
  sums.keptSteps += compute.kept_steps;
  sums.multiplyAdds.used += compute.multiply_adds;
  sums.multiplyAdds.dense += compute.dense_multiply_adds;
  sums.multiplyAdds.reused += compute.reused_multiply_adds;
  sums.newest = { ingestedAtMs, delta: compute.delta };
}

function buildSample({ version, scheduler }: RunParts): Sample {
  const { engine, device, model } = scheduler.info;
  return sample('actionstream_build_info', 1, { version, engine, device, model: model.id });
}

/** A stream that has ended keeps its sums, and has no age and no queue any more. */
function streamSamples(
  { streamId, counters, queue }: RunParts['streams'][number],
  { clips, inputSteps, keptSteps, multiplyAdds, newest, state }: StreamSums,
  nowMs: number,
): readonly Sample[] {
  const labels = { stream_id: streamId };
  const byReason = (name: MetricName, counts: Readonly<Record<string, number>>): readonly Sample[] =>
    Object.entries(counts).map(([reason, count]) => sample(name, count, { ...labels, reason }));
  const present = [
    ...(newest
      ? [sample('actionstream_stream_lag_seconds', (nowMs - newest.ingestedAtMs) / 1000, labels)]
      : []),
    ...(newest?.delta === undefined ? [] : [sample('actionstream_stream_delta', newest.delta, labels)]),
    sample('actionstream_stream_queue_length', queue.length, labels),
    sample('actionstream_stream_queue_capacity', queue.capacity, labels),
  ];
  return [
    sample('actionstream_stream_up', state === 'up' ? 1 : 0, labels),
    ...(state === 'ended' ? [] : present),
    ...byReason('actionstream_stream_reconnects_total', counters.reconnects),
    ...byReason('actionstream_stream_clock_faults_total', counters.clockFaults),
    sample('actionstream_frames_decoded_total', counters.framesDecoded, labels),
    ...byReason('actionstream_frames_dropped_total', counters.framesDropped),
    sample('actionstream_clips_total', clips, labels),
    ...byReason('actionstream_clips_dropped_total', counters.clipsDropped),
    sample('actionstream_input_steps_total', inputSteps, labels),
    sample('actionstream_kept_steps_total', keptSteps, labels),
    ...Object.entries(multiplyAdds).map(([kind, sum]) =>
      sample('actionstream_multiply_adds_total', sum, { ...labels, kind }),
    ),
  ];
}

function engineSamples({ scheduler }: RunParts): readonly Sample[] {
  const { engines, waiting, busyMs, calls, restarts, retries } = scheduler.read();
  return [
    sample('actionstream_engines', engines),
    sample('actionstream_engine_queue_length', waiting),
    sample('actionstream_engine_busy_seconds_total', busyMs / 1000),
    ...calls.map((count, n) => sample('actionstream_engine_calls_total', count, { clips: String(n + 1) })),
    sample('actionstream_engine_restarts_total', restarts),
    sample('actionstream_engine_retries_total', retries),
  ];
}

function budgetSamples(budget: ComputeBudget): readonly Sample[] {
  const { targets, reading, deltaScale } = budget.read();
  const { multiplyAddsPerSecond: most, p95LatencyMs, maxDeltaScale } = targets;
  return [
    sample('actionstream_budget_delta_scale', deltaScale),
    sample('actionstream_budget_delta_scale_limit', maxDeltaScale),
    sample('actionstream_budget_latency_p95_target_seconds', p95LatencyMs / 1000),
    ...(most === undefined ? [] : [sample('actionstream_budget_multiply_adds_per_second_target', most)]),
    ...(reading
      ? [
          sample('actionstream_budget_latency_p95_seconds', reading.p95LatencyMs / 1000),
          sample('actionstream_budget_multiply_adds_per_second', reading.multiplyAddsPerSecond),
          sample('actionstream_budget_utilisation_ratio', reading.utilisation),
          sample('actionstream_budget_backlog_ratio', reading.backlog),
        ]
      : []),
  ];
}

function journalSamples(journal: RunParts['journal'], nowMs: number): readonly Sample[] {
  const { bytes, shedRecords, consumers, ...stats } = journal.stats();
  const bySink = (name: MetricName, counts: Readonly<Record<string, number>>): readonly Sample[] =>
    Object.entries(counts).map(([sink, count]) => sample(name, count, { sink }));
  return [
    ...Object.entries(consumers).flatMap(([sink, { records, oldestAtMs }]) => [
      sample('actionstream_sink_lag_records', records, { sink }),
      sample('actionstream_sink_lag_seconds', oldestAtMs === undefined ? 0 : (nowMs - oldestAtMs) / 1000, {
        sink,
      }),
    ]),
    ...bySink('actionstream_sink_lag_records', stats.idleRecords),
    ...bySink('actionstream_sink_unreadable_records_total', stats.unreadableRecords),
    ...bySink('actionstream_sink_given_up_records_total', stats.givenUpRecords),
    sample('actionstream_journal_bytes', bytes),
    sample('actionstream_journal_shed_records_total', shedRecords),
    sample('actionstream_journal_waiting_appends', stats.waitingAppends),
    sample('actionstream_journal_stalls_total', stats.stalls),
    sample('actionstream_journal_disk_full_retries_total', stats.diskFullRetries),
  ];
}

function sinkSamples(sinks: RunParts['sinks']): readonly Sample[] {
  return sinks.flatMap(({ name: sink, foreignWrites }) =>
    [...(foreignWrites ?? [])].map(([streamId, count]) =>
      sample('actionstream_sink_foreign_writes_total', count, { sink, stream_id: streamId }),
    ),
  );
}

function sample(name: MetricName, value: number, labels?: Sample['labels']): Sample {
  return { name, value, ...(labels && { labels }) };
}
