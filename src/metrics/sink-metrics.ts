import { pointsOf, runCounter, runGauge, type Metrics, type Point } from './metric.ts';

export const SINK_METRICS = {
  actionstream_sink_lag_records: {
    kind: 'gauge',
    help: 'Journalled records that the sink has yet to take; also of a sink that is not configured any more.',
    labels: ['sink'],
    read: ({ journal }) => [
      ...Object.entries(journal.consumers).map(([sink, { records }]): Point => [records, sink]),
      ...pointsOf(journal.idleRecords),
    ],
  },
  actionstream_sink_lag_seconds: {
    kind: 'gauge',
    help: 'Age of the oldest of them; 0 where there is none.',
    labels: ['sink'],
    read: ({ journal, nowMs }) =>
      Object.entries(journal.consumers).map(([sink, { oldestAtMs = nowMs }]) => [
        (nowMs - oldestAtMs) / 1000,
        sink,
      ]),
  },
  actionstream_sink_unreadable_records_total: {
    kind: 'counter',
    help: 'Records that were damaged in the journal and not delivered.',
    labels: ['sink'],
    read: ({ journal }) => pointsOf(journal.unreadableRecords),
  },
  actionstream_sink_given_up_records_total: {
    kind: 'counter',
    help: 'Records of a sink that is not configured, deleted because the journal needed their room.',
    labels: ['sink'],
    read: ({ journal }) => pointsOf(journal.givenUpRecords),
  },
  actionstream_sink_foreign_writes_total: {
    kind: 'counter',
    help: 'Times that another run of the program was found to write the stream into the same database.',
    labels: ['sink', 'stream_id'],
    read: ({ sinks }) =>
      sinks.flatMap(({ name, foreignWrites = [] }) =>
        [...foreignWrites].map(([streamId, count]): Point => [count, name, streamId]),
      ),
  },
  actionstream_history_upkeeps_total: {
    kind: 'counter',
    help: 'Times that partitions were made ahead in Postgres and old history was deleted.',
    labels: ['result'],
    read: ({ upkeep }) =>
      upkeep
        ? [
            [upkeep.succeeded, 'ok'],
            [upkeep.failed, 'failed'],
          ]
        : [],
  },
  actionstream_history_dropped_partitions_total: runCounter(
    'Partitions of Postgres dropped for their age (`sinks.postgres.retention`).',
    ({ upkeep }) => upkeep?.droppedPartitions ?? 0,
  ),
  actionstream_history_deleted_rows_total: runCounter(
    'Rows of Postgres deleted one by one for their age.',
    ({ upkeep }) => upkeep?.deletedRows ?? 0,
  ),
  actionstream_journal_bytes: runGauge('Bytes of the journal on disk.', ({ journal }) => journal.bytes),
  actionstream_journal_shed_records_total: runCounter(
    'Clip statistics refused for want of room.',
    ({ journal }) => journal.shedRecords,
  ),
  actionstream_journal_waiting_appends: runGauge(
    'Appends that wait for a sink to catch up or for disk space.',
    ({ journal }) => journal.waitingAppends,
  ),
  actionstream_journal_stalls_total: runCounter(
    'How often appends had to begin waiting.',
    ({ journal }) => journal.stalls,
  ),
  actionstream_journal_disk_full_retries_total: runCounter(
    'Writes repeated because the disk was full.',
    ({ journal }) => journal.diskFullRetries,
  ),
} as const satisfies Metrics;
