import { expect, onTestFinished, test } from 'vitest';
import { renderSamples, type Sample } from '../../src/metrics/exposition.ts';
import { METRICS } from '../../src/metrics/metric-list.ts';
import { startMetricsServer, type MetricsServer } from '../../src/metrics/server.ts';

test('samples are told by metric, with help and kind, and labels escaped', () => {
  const text = renderSamples([
    { name: 'actionstream_clips_total', labels: { stream_id: 'a' }, value: 3 },
    { name: 'actionstream_stream_up', labels: { stream_id: 'say "hi"\\\n' }, value: 1 },
    { name: 'actionstream_clips_total', labels: { stream_id: 'b' }, value: 1.5e12 },
  ]);

  expect(text.split('\n')).toEqual([
    expect.stringMatching(/^# HELP actionstream_stream_up /),
    '# TYPE actionstream_stream_up gauge',
    'actionstream_stream_up{stream_id="say \\"hi\\"\\\\\\n"} 1',
    expect.stringMatching(/^# HELP actionstream_clips_total /),
    '# TYPE actionstream_clips_total counter',
    'actionstream_clips_total{stream_id="a"} 3',
    'actionstream_clips_total{stream_id="b"} 1500000000000',
    '',
  ]);
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
  const { url } = await serve(() => [{ name: 'actionstream_engine_queue_length', value: (length += 1) }]);

  const first = await fetch(url);
  const second = await (await fetch(`${url}?x=1`)).text();

  expect(first.headers.get('content-type')).toContain('version=0.0.4');
  expect(await first.text()).toContain('actionstream_engine_queue_length 1\n');
  expect(second).toContain('actionstream_engine_queue_length 2\n');
  expect((await fetch(url.replace('/metrics', '/'))).status).toBe(404);
  expect((await fetch(url, { method: 'POST' })).status).toBe(405);
});

test('an address that is taken is refused with the remedy, and is free again afterwards', async () => {
  const first = await startMetricsServer({ host: '127.0.0.1', port: 0 }, () => []);
  const port = Number(new URL(first.url).port);

  await expect(startMetricsServer({ host: '127.0.0.1', port }, () => [])).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('choose another metrics.host or metrics.port') as string,
  });
  await first[Symbol.asyncDispose]();
  await using second = await startMetricsServer({ host: '127.0.0.1', port }, () => []);
  expect((await fetch(second.url)).status).toBe(200);
});

async function serve(collect: () => readonly Sample[]): Promise<MetricsServer> {
  const server = await startMetricsServer({ host: '127.0.0.1', port: 0 }, collect);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}
