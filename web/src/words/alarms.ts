import type { Stream } from '../../../src/client/index.ts';
import type { Metrics } from '../api/metrics.ts';
import { counted, duration, percent } from './format.ts';
import { reasonOf, stateOf } from './states.ts';

/** Something that somebody should look at: what it is, and what to do, as docs/operations.md says. */
export interface Alarm {
  readonly what: string;
  readonly remedy: string;
  /** The chapter of docs/operations.md. */
  readonly chapter: string;
}

const LATE_SINK_S = 30;
const LATE_STREAM_S = 15;

/** All alarms now, those about lost records first. */
export function alarmsOf(metrics: Metrics, streams: readonly Stream[]): readonly Alarm[] {
  return [...alarmsOfRecords(metrics), ...alarmsOfEngines(metrics), ...alarmsOfStreams(metrics, streams)];
}

function alarmsOfRecords(metrics: Metrics): readonly Alarm[] {
  const waiting = metrics.sum('journal_waiting_appends') ?? 0;
  const shed = metrics.sum('journal_shed_records_total') ?? 0;
  const ofSink = (
    name: string,
    least: number,
    alarm: (sink: string, value: number) => Alarm,
  ): readonly Alarm[] =>
    metrics
      .all(name)
      .filter(({ value }) => value > least)
      .map(({ labels, value }) => alarm(labels['sink'] ?? 'a sink', value));
  return [
    ...ofSink('sink_unreadable_records_total', 0, (sink, value) => ({
      what: `${counted(value, 'record')} for ${sink} were damaged in the journal and are not delivered`,
      remedy: 'actionstream journal check names the files and the offsets',
      chapter: 'Journal',
    })),
    ...ofSink('sink_given_up_records_total', 0, (sink, value) => ({
      what: `${counted(value, 'record')} for ${sink} were given up, since the journal needed their room`,
      remedy: 'Name the sink in the configuration again, or leave its backlog given up',
      chapter: 'Journal',
    })),
    ...(waiting > 0
      ? [
          {
            what: 'The journal or its disk is full: events wait, and with them the clips',
            remedy: 'Mend the sink that is late, raise journal.max_size, or free space on the disk',
            chapter: 'Journal',
          },
        ]
      : []),
    ...(shed > 0
      ? [
          {
            what: `${counted(shed, 'clip statistic')} were refused, since the journal was nearly full`,
            remedy: 'Mend the sink that is late; no event was lost',
            chapter: 'Journal',
          },
        ]
      : []),
    ...ofSink('sink_lag_seconds', LATE_SINK_S, (sink, value) => ({
      what: `${sink} is ${duration(value * 1000)} behind`,
      remedy:
        'It is down or refuses: the log of the program says which, and how to mend it. Records wait in the journal',
      chapter: sink === 'kafka' ? 'Kafka' : 'Watch',
    })),
  ];
}

function alarmsOfEngines(metrics: Metrics): readonly Alarm[] {
  const restarts = metrics.sum('engine_restarts_total') ?? 0;
  const scale = metrics.sum('budget_delta_scale') ?? 1;
  const most = metrics.sum('budget_delta_scale_limit') ?? 1;
  return [
    ...(restarts > 0
      ? [
          {
            what: `Engine processes were lost and replaced ${counted(restarts, 'time')} since the start`,
            remedy: 'Once is no harm. Where it goes on, look for memory that runs out, and at the log',
            chapter: 'Watch',
          },
        ]
      : []),
    ...(most > 1 && scale >= most
      ? [
          {
            what: 'There is more to compute than the engines can: δ is as high as it may be, and clips are dropped next',
            remedy: 'Fewer streams, a smaller model, more cores, or a GPU',
            chapter: 'Streams',
          },
        ]
      : []),
  ];
}

function alarmsOfStreams(metrics: Metrics, streams: readonly Stream[]): readonly Alarm[] {
  const lags = new Map(
    metrics.all('stream_lag_seconds').map(({ labels, value }) => [labels['stream_id'], value]),
  );
  const dropped = ({ clips_dropped: counts }: Stream): number =>
    Object.values(counts).reduce((sum, count) => sum + count, 0);
  const lowered = metrics.all('stream_delta_scale').filter(({ value }) => value < 1);
  return [
    ...streams
      .filter((stream) => stateOf(stream).mood === 'bad')
      .map((stream) => {
        const { what, remedy } = reasonOf(stream);
        return { what: `${stream.stream_id}: ${what.toLowerCase()}`, remedy, chapter: 'Streams' };
      }),
    ...streams
      .filter((stream) => stream.state === 'up' && (lags.get(stream.stream_id) ?? 0) > LATE_STREAM_S)
      .map(({ stream_id: id }) => ({
        what: `${id} is ${duration((lags.get(id) ?? 0) * 1000)} behind`,
        remedy: 'Frames come and are not scored: see the queue and the engines',
        chapter: 'Streams',
      })),
    ...streams
      .filter((stream) => dropped(stream) > 0)
      .map((stream) => ({
        what: `${stream.stream_id}: dropped since the start: ${counted(dropped(stream), 'clip')}`,
        remedy: 'Fewer streams, a smaller model, more cores, or a GPU',
        chapter: 'Streams',
      })),
    ...lowered.map(({ labels, value }) => ({
      what: `${labels['stream_id'] ?? ''}: the audit lowered δ to ${percent(value)} of the configured one`,
      remedy: 'Look at what the camera sees: moved, dirty, infra-red. Or run calibrate on new footage',
      chapter: 'What is buffered, dropped and guaranteed',
    })),
  ];
}
