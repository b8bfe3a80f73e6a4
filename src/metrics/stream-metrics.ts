import { pointsOf, type Metric, type Metrics } from './metric.ts';
import type { StreamReading } from './run-metrics.ts';

export const STREAM_METRICS = {
  actionstream_stream_info: {
    kind: 'gauge',
    help: '1; what the settings of the stream say of it: join with `* on (stream_id) group_left (site)`. Tags are separated by commas.',
    labels: ['stream_id', 'name', 'site', 'tags', 'location'],
    read: ({ streams }) =>
      streams.map(({ streamId, about: { name = '', site = '', tags = [], location = '' } = {} }) => [
        ...([1, streamId, name, site, tags.join(','), location] as const),
      ]),
  },
  actionstream_stream_up: gauge('1 while the source gives frames, else 0.', ({ state }) =>
    state === 'up' || state === 'faulty' ? 1 : 0,
  ),
  actionstream_stream_fault: {
    kind: 'gauge',
    help: '1 while the frame is `black`, `covered`, `frozen` or `defocused`; absent while it is well.',
    labels: ['stream_id', 'reason'],
    read: ({ streams }) =>
      streams.map(({ streamId, state, reason = '' }) => [
        state === 'faulty' ? 1 : undefined,
        streamId,
        reason,
      ]),
  },
  actionstream_stream_lag_seconds: gauge(
    'Freshness: time since the last frame of the newest processed clip was received. Grows where a stream stalls or is not kept up with.',
    whileItRuns(({ newest, nowMs }) => newest && (nowMs - newest.ingestedAtMs) / 1000),
  ),
  actionstream_stream_queue_length: gauge(
    'Clips that wait for their turn.',
    whileItRuns(({ queue }) => queue.length),
  ),
  actionstream_stream_queue_capacity: gauge(
    'Clips that may wait: `queue_clips`.',
    whileItRuns(({ queue }) => queue.capacity),
  ),
  actionstream_stream_delta: gauge(
    'Bin width δ of sampler `ordered` that the newest clip was computed with.',
    whileItRuns(({ newest }) => newest?.delta),
  ),
  actionstream_stream_agreement: gauge(
    'Of audited streams: share of decisions that were those of the dense network, over the audited clips of late, with the δ in use; 1 where dense.',
    whileItRuns(({ audit }) => audit?.agreement),
  ),
  actionstream_stream_agreement_low: gauge(
    'Lower confidence bound of the agreement. Below the floor δ goes down, once enough clips were audited.',
    whileItRuns(({ audit }) => audit?.agreementLow),
  ),
  actionstream_stream_delta_scale: gauge(
    'Of audited streams: δ that the audit allows, over the configured one; 0: dense.',
    whileItRuns(({ audit }) => audit?.deltaScale),
  ),
  actionstream_clips_audited_total: {
    ...{ kind: 'counter', help: 'Clips audited.', labels: ['stream_id'] },
    read: ({ streams }) => streams.map(({ streamId, audit }) => [audit?.audited, streamId]),
  },
  actionstream_audits_dropped_total: byReason(
    'Clips chosen for an audit that were not audited: `busy`, `no_room`, `failed`, `stopped`.',
    ({ audit }) => audit?.dropped ?? {},
  ),
  actionstream_audit_delta_changes_total: {
    ...{ kind: 'counter', help: 'Changes of δ by the audit.', labels: ['stream_id', 'direction'] },
    read: ({ streams }) => streams.flatMap(({ streamId, audit }) => pointsOf(audit?.changes ?? {}, streamId)),
  },
  actionstream_audit_multiply_adds_total: {
    ...{ kind: 'counter', help: 'Multiply-adds that audits have cost, beside those of the clips.' },
    labels: ['stream_id'],
    read: ({ streams }) => streams.map(({ streamId, audit }) => [audit?.multiplyAdds, streamId]),
  },
  actionstream_stream_reconnects_total: byReason('Connections lost.', ({ counters }) => counters.reconnects),
  actionstream_stream_clock_faults_total: byReason(
    'Faults of the clock of a source or of the machine, noticed and followed.',
    ({ counters }) => counters.clockFaults,
  ),
  actionstream_frames_decoded_total: counter('Frames decoded.', ({ counters }) => counters.framesDecoded),
  actionstream_frames_dropped_total: byReason(
    'Frames that became part of no clip.',
    ({ counters }) => counters.framesDropped,
  ),
  actionstream_clips_total: counter('Clips processed: scored and journalled.', ({ clips }) => clips),
  actionstream_clips_dropped_total: byReason(
    'Clips dropped before inference.',
    ({ counters }) => counters.clipsDropped,
  ),
  actionstream_input_steps_total: counter('Time steps before the sampler.', ({ inputSteps }) => inputSteps),
  actionstream_kept_steps_total: counter('Time steps that the sampler kept.', ({ keptSteps }) => keptSteps),
  actionstream_multiply_adds_total: {
    kind: 'counter',
    help: 'Multiply-adds of processed clips: `used`; `dense`, as without adaptation; `reused`, not spent because earlier clips had computed them.',
    labels: ['stream_id', 'kind'],
    read: ({ streams }) => streams.flatMap(({ streamId, multiplyAdds }) => pointsOf(multiplyAdds, streamId)),
  },
  actionstream_action_events_total: {
    kind: 'counter',
    help: 'Events journalled.',
    labels: ['label', 'state'],
    read: ({ events }) => events.map(({ count, label, state }) => [count, label, state]),
  },
} as const satisfies Metrics;

function gauge(help: string, read: (stream: StreamReading) => number | undefined): Metric {
  return { kind: 'gauge', help, ...ofStreams(read) };
}

function counter(help: string, read: (stream: StreamReading) => number): Metric {
  return { kind: 'counter', help, ...ofStreams(read) };
}

function ofStreams(read: (stream: StreamReading) => number | undefined): Pick<Metric, 'labels' | 'read'> {
  return {
    labels: ['stream_id'],
    read: ({ streams }) => streams.map((stream) => [read(stream), stream.streamId]),
  };
}

function byReason(help: string, read: (stream: StreamReading) => Readonly<Record<string, number>>): Metric {
  return {
    ...{ kind: 'counter', help, labels: ['stream_id', 'reason'] },
    read: ({ streams }) => streams.flatMap((stream) => pointsOf(read(stream), stream.streamId)),
  };
}

/** A stream that has ended keeps its sums, and has no age and no queue any more. */
function whileItRuns<Value>(
  read: (stream: StreamReading) => Value,
): (stream: StreamReading) => Value | undefined {
  return (stream) => (stream.state === 'ended' ? undefined : read(stream));
}
