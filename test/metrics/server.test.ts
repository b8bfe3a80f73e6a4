import { expect, onTestFinished, test } from 'vitest';
import { METRICS } from '../../src/metrics/metric-list.ts';
import { createRenderer } from '../../src/metrics/registry.ts';
import { startMetricsServer, type MetricsServer } from '../../src/metrics/server.ts';
import { freePort } from '../../tools/local/free-port.ts';
import { runReadingOf } from './run-reading.ts';

const RUN = runReadingOf({ clips: 3 });

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
  const text = await createRenderer(METRICS, () => runReadingOf({ clips: 3, isBusy: true }))();

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
  const render = createRenderer(METRICS, () => runReadingOf({ clips: (length += 1) }));
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
