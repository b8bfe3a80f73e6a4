import type { RunReading, StreamReading } from '../../src/metrics/run-metrics.ts';

/** A run of two streams, as a scrape finds it; a busy one has a value for every metric. */
export function runReadingOf({
  clips,
  isBusy = false,
}: {
  readonly clips: number;
  readonly isBusy?: boolean;
}): RunReading {
  const nowMs = 1_000_000;
  const reasons: Record<string, number> = isBusy ? { exit: 2 } : {};
  const stream = (streamId: string, more: Partial<StreamReading>): StreamReading => ({
    ...{ nowMs, streamId, clips, inputSteps: 32, keptSteps: 7 },
    counters: {
      ...{ framesDecoded: 9, clipsFormed: 3, framesDropped: reasons, clipsDropped: reasons },
      ...{ reconnects: reasons, clockFaults: reasons },
    },
    queue: { length: 1, capacity: 4 },
    multiplyAdds: { used: 1, dense: 2, reused: 0 },
    ...(isBusy && { about: { name: 'Dock', site: 'Kiel', tags: ['a', 'b'], location: 'north' } }),
    ...(isBusy && { newest: { ingestedAtMs: nowMs - 500, delta: 0.4 } }),
    ...(isBusy && {
      audit: {
        ...{
          agreement: 0.99,
          agreementLow: 0.98,
          deltaScale: 0.5,
          audited: 7,
          dropped: reasons,
          multiplyAdds: 1,
        },
        changes: { lowered: 1, raised: 0 },
      },
    }),
    ...more,
  });
  const targets = { p95LatencyMs: 1500, maxDeltaScale: 2, ...(isBusy && { multiplyAddsPerSecond: 1e12 }) };
  const measured = { p95LatencyMs: 700, multiplyAddsPerSecond: 1e11, utilisation: 0.5, backlog: 0.25 };
  return {
    ...{ nowMs, version: '1.0.0', events: isBusy ? [{ label: 'fall', state: 'ended', count: 2 }] : [] },
    engine: { engine: 'null', device: 'cpu', model: { id: 'm' } } as RunReading['engine'],
    engines: { engines: 1, waiting: 2, busyMs: 3000, calls: [4, 5], restarts: 0, retries: 0 },
    budget: { targets, deltaScale: 1, ...(isBusy && { reading: measured }) },
    journal: {
      ...{ bytes: 10, undeliveredBytes: 0, firstOffset: 0, nextOffset: 1, shedRecords: 0, waitingAppends: 0 },
      ...{ stalls: 0, diskFullRetries: 0, unreadableRecords: reasons, givenUpRecords: reasons },
      ...{ idleRecords: {}, consumers: { kafka: { records: 3, oldestAtMs: nowMs - 2000 } } },
    } as unknown as RunReading['journal'],
    sinks: [{ name: 'postgres', foreignWrites: new Map(isBusy ? [['a', 1]] : []) }],
    reloads: { failures: 0, isLastGood: true, lastGoodMs: nowMs },
    upkeep: isBusy ? { succeeded: 2, failed: 1, droppedPartitions: 3, deletedRows: 4 } : undefined,
    ...(isBusy && { media: { bytes: 10, made: { clip: 1, snapshot: 1 }, lost: reasons } }),
    streams: [
      stream('a', isBusy ? { state: 'faulty', reason: 'frozen' } : {}),
      stream('say "hi"\\\n', { state: 'up', clips: 1.5e12 }),
    ],
  };
}
