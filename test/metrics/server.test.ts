import { expect, onTestFinished, test } from 'vitest';
import { METRICS } from '../../src/metrics/metric-list.ts';
import { createRenderer } from '../../src/metrics/registry.ts';
import type { RunReading, StreamReading } from '../../src/metrics/run-metrics.ts';
import { startMetricsServer, type MetricsServer } from '../../src/metrics/server.ts';
import { freePort } from '../../tools/local/free-port.ts';

const RUN = readingOf({ clips: 3 });

test('metrics come in the order of the list, with help and kind, and labels escaped', async () => {
  const { actionstream_stream_up, actionstream_clips_total, actionstream_stream_delta } = METRICS;
  const render = createRenderer(
    { actionstream_stream_up, actionstream_stream_delta, actionstream_clips_total },
    () => RUN,
  );

  const lines = (await render()).split('\n').filter((line) => /actionstream/.test(line));

  // Nobody knows a δ yet.
  expect(lines).toEqual([
    expect.stringMatching(/^# HELP actionstream_stream_up /),
    '# TYPE actionstream_stream_up gauge',
    'actionstream_stream_up{stream_id="a"} 0',
    'actionstream_stream_up{stream_id="say \\"hi\\"\\\\\\n"} 1',
    expect.stringMatching(/^# HELP actionstream_clips_total /),
    '# TYPE actionstream_clips_total counter',
    'actionstream_clips_total{stream_id="a"} 3',
    'actionstream_clips_total{stream_id="say \\"hi\\"\\\\\\n"} 1500000000000',
  ]);
});

test('every metric of a busy run is served under its name and labels, and those of the process after them', async () => {
  const text = await createRenderer(METRICS, () => readingOf({ clips: 3, isBusy: true }))();

  const served = text.split('\n').filter((line) => line.startsWith('actionstream_'));
  expect([...new Set(served.map((line) => line.split(/[{ ]/, 1)[0]))]).toEqual(Object.keys(METRICS));
  for (const line of served) {
    const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    expect(labelNamesOf(labels), line).toEqual(METRICS[name as keyof typeof METRICS].labels);
  }
  expect(text).toMatch(/\nprocess_resident_memory_bytes \d/);
  expect(text).toMatch(/\nnodejs_eventloop_lag_p99_seconds \d/);
});

test('names follow the rules of Prometheus: counters end in _total, nothing else does', () => {
  for (const [name, { kind, labels }] of Object.entries(METRICS)) {
    expect(name).toMatch(/^actionstream_[a-z0-9_]+$/);
    expect(name.endsWith('_total'), name).toBe(kind === 'counter');
    for (const label of labels) expect(label).toMatch(/^[a-z_]+$/);
  }
});

test('what is collected at the moment is served, and nothing else', async () => {
  let length = 0;
  const render = createRenderer(METRICS, () => readingOf({ clips: (length += 1) }));
  const { url } = await serve(render);

  const first = await fetch(url);
  const second = await (await fetch(`${url}?x=1`)).text();

  expect(first.headers.get('content-type')).toContain('version=0.0.4');
  expect(await first.text()).toContain('actionstream_clips_total{stream_id="a"} 1\n');
  expect(second).toContain('actionstream_clips_total{stream_id="a"} 2\n');
  expect((await fetch(url.replace('/metrics', '/'))).status).toBe(404);
  expect((await fetch(url, { method: 'POST' })).status).toBe(405);
});

test('an address that is taken is refused with the remedy, and is free again afterwards', async () => {
  const port = await freePort();
  const first = await startMetricsServer({ host: '127.0.0.1', port }, () => Promise.resolve(''));

  await expect(
    startMetricsServer({ host: '127.0.0.1', port }, () => Promise.resolve('')),
  ).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('choose another metrics.host or metrics.port') as string,
  });
  await first[Symbol.asyncDispose]();
  await using second = await startMetricsServer({ host: '127.0.0.1', port }, () => Promise.resolve(''));
  expect((await fetch(second.url)).status).toBe(200);
});

test('figures that cannot be read are an error of the scrape, and the server lives on', async () => {
  let isBroken = true;
  const { url } = await serve(() =>
    isBroken ? Promise.reject(new Error('no disk')) : Promise.resolve('ok\n'),
  );

  const broken = await fetch(url);
  isBroken = false;

  expect([broken.status, await broken.text()]).toEqual([500, 'the metrics cannot be read: no disk\n']);
  expect((await fetch(url)).status).toBe(200);
});

async function serve(render: () => Promise<string>): Promise<MetricsServer> {
  const server = await startMetricsServer({ host: '127.0.0.1', port: 0 }, render);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

function labelNamesOf(labels: string): readonly string[] {
  return [...labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, name = '']) => name);
}

/** Two streams; of a busy run everything is known. */
function readingOf({
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
    streams: [stream('a', {}), stream('say "hi"\\\n', { state: 'up', clips: 1.5e12 })],
  };
}
