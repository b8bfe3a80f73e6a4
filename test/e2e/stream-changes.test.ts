import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, inject, onTestFinished, test } from 'vitest';
import type { ClipStats } from '../../src/core/records.ts';
import { startRtspServer } from '../../tools/local/rtsp-server.ts';
import { runCli, type RunningCli } from '../support/cli.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { temporaryDatabase, uniqueTopics } from '../support/names.ts';
import {
  endRuns,
  isClip,
  kafkaSettings,
  recordsOf,
  startRun,
  terminate,
  TINY,
  verify,
  writeConfig,
} from '../support/runs.ts';
import { kcat, psql } from '../support/strangers.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

demandNoLeftovers();
afterEach(endRuns);

const PASSWORD = 'c4nary-Secret-9a1e';

test('cameras are added, paused, resumed, changed and removed; the others are undisturbed, and a restart keeps it', async () => {
  const directory = await temporaryDirectory();
  const camera = await startRtspServer({ file: await busyVideo(directory) });
  onTestFinished(() => camera.stop());
  const locked = await startRtspServer({
    file: await busyVideo(directory),
    auth: { username: 'viewer', password: PASSWORD, scheme: 'digest' },
  });
  onTestFinished(() => locked.stop());
  const [database, brokers, topics] = [await temporaryDatabase(), inject('kafkaBrokers'), uniqueTopics()];
  const config = await writeConfig(directory, {
    ...{ ...TINY, instance: 'changes', http: { port: 0 } },
    // No clip is dropped where the machine is busy for a while: that would be a gap in the sequence too.
    defaults: { window: { fps: 10, stride: 10 }, queue_clips: 200 },
    events: { on: 0.05, off: 0.01, min_duration: '0s' },
    streams: ['left', 'right', 'gate'].map((id) => ({ id, url: camera.url })),
    journal: { dir: path.join(directory, 'journal') },
    sinks: { kafka: kafkaSettings(brokers, topics), postgres: { url: database } },
  });
  const run = startRun(['run', config, '--json']);
  const api = await apiOf(run);
  await clipsFrom(run, ['left', 'right', 'gate']);

  // The third one is paused: its episodes end, and nothing of it comes any more.
  expect(await api('POST', '/streams/gate/pause')).toMatchObject([
    200,
    { state: 'paused', reason: 'paused' },
  ]);
  const lastEvent = (): object | undefined =>
    recordsOf(run).findLast(({ type, payload }) => type === 'action.event' && payload.stream_id === 'gate')
      ?.payload;
  await expect.poll(lastEvent).toMatchObject({ state: 'ended', end_reason: 'shutdown' });
  const pausedAfter = clipsOf(run, 'gate').length;
  await clipsFrom(run, ['left', 'right']);
  expect(clipsOf(run, 'gate')).toHaveLength(pausedAfter);

  // It is resumed: the time between is a gap with that reason.
  expect(await api('POST', '/streams/gate/resume')).toMatchObject([200, { stream_id: 'gate' }]);
  await clipsFrom(run, ['gate']);

  // A fourth one is looked at, added with its password, changed and seen nowhere with that.
  const refused = { url: locked.url, username: 'viewer', password: 'wrong' };
  expect(await api('POST', '/probe', refused)).toMatchObject([422, { code: 'SOURCE_UNAUTHORIZED' }]);
  const login = { url: locked.url, username: 'viewer', password: PASSWORD };
  expect(await api('POST', '/probe', login)).toMatchObject([200, { codec: 'h264' }]);
  expect(await api('POST', '/streams', { id: 'yard', ...login })).toMatchObject([201, { origin: 'api' }]);
  await clipsFrom(run, ['yard']);
  expect(await api('PATCH', '/streams/yard', { window: { stride: 8 } })).toMatchObject([200, {}]);
  await clipsFrom(run, ['yard']);
  expect(await api('POST', '/streams', { id: 'yard', url: 'x' })).toMatchObject([409, { code: 'EXISTS' }]);
  const wrong = await api('POST', '/streams', { id: 'new', url: '', window: { strid: 1 } });
  expect(wrong).toMatchObject([400, { code: 'CONFIG_INVALID' }]);
  expect((wrong[1] as { errors: readonly { field: string }[] }).errors.map(({ field }) => field)).toEqual([
    'url',
    'window.strid',
  ]);

  // And one of the file goes.
  expect(await api('DELETE', '/streams/gate')).toEqual([200, { stream_id: 'gate' }]);
  expect(await api('GET', '/streams/gate')).toMatchObject([404, {}]);
  await clipsFrom(run, ['left', 'right']);
  const metrics = await (await fetch(`${api.url}/metrics`)).text();
  expect(metrics).toContain('actionstream_stream_up{stream_id="yard"} 1');
  expect(metrics).not.toContain('stream_id="gate"');
  const { code, stderr } = await terminate(run);
  expect(code, stderr).toBe(0);

  for (const id of ['left', 'right']) {
    const sequences = clipsOf(run, id).map(({ clip_seq: sequence }) => sequence);
    expect(sequences, `${id} is undisturbed`).toEqual(sequences.map((_, n) => n));
  }
  const statuses = await psql<{ line: string }>(
    database,
    `SELECT state || ' ' || reason AS line FROM actionstream.stream_status WHERE stream_id = 'gate' ORDER BY at, status_id`,
  );
  const lines = statuses.map(({ line }) => line);
  expect(lines).toEqual(expect.arrayContaining(['ended paused', 'gap paused', 'ended removed']));
  expect(lines.at(-1)).toBe('ended removed');
  const last = (await kcat(brokers, topics['stream.status']))
    .map(({ payload }) => JSON.parse(payload) as { stream_id: string; state: string; reason: string })
    .findLast(({ stream_id: id }) => id === 'gate');
  expect(last).toMatchObject({ state: 'ended', reason: 'removed' });
  expect(await verify(config)).toMatchObject({ consistent: true });

  // A restart has the same streams, and tells where each comes from; nobody else reads the password.
  const store = path.join(directory, 'journal', 'streams.json');
  expect((await stat(store)).mode & 0o777).toBe(0o600);
  expect(await readFile(store, 'utf8')).toContain(PASSWORD);
  const printed = (await runCli(['config', 'print', config])).stdout;
  expect(printed).toMatch(/streams\[2\]\.url .*streams\.json/);
  expect(printed).toMatch(/streams\[0\]\.url .*run\.yaml:\d+/);
  expect(printed + stderr + run.lines.join('')).not.toContain(PASSWORD);
  const again = startRun(['run', config, '--json']);
  const later = await apiOf(again);
  await clipsFrom(again, ['left', 'right', 'yard']);
  const [, { streams }] = (await later('GET', '/streams')) as [number, { streams: readonly object[] }];
  expect(streams).toMatchObject([{ stream_id: 'left' }, { stream_id: 'right' }, { stream_id: 'yard' }]);
  expect(JSON.stringify(streams)).not.toContain(PASSWORD);
  expect(await terminate(again)).toMatchObject({ code: 0 });
});

test('a run without a stream waits for one; a file ends it, unless it keeps serving', async () => {
  const directory = await temporaryDirectory();
  const settings = { ...TINY, journal: { dir: path.join(directory, 'journal') } };
  const url = await busyVideo(directory);
  const none = await writeConfig(directory, { ...settings, http: { port: 0 } });
  const run = startRun(['run', none, '--json']);
  const api = await apiOf(run);
  expect(await api('GET', '/streams')).toEqual([200, { streams: [] }]);
  expect(await api('POST', '/streams', { id: 'film', url })).toMatchObject([201, { kind: 'file' }]);
  expect((await run.done).code).toBe(0);
  expect(clipsOf(run, 'film').length).toBeGreaterThan(0);

  const kept = startRun(['run', none, '--json', '--keep-serving']);
  const later = await apiOf(kept);
  await expect
    .poll(async () => ((await later('GET', '/streams/film'))[1] as { state: string }).state)
    .toBe('ended');
  expect(await terminate(kept)).toMatchObject({ code: 0 });
});

interface Api {
  (method: string, route: string, body?: object): Promise<readonly [status: number, answer: unknown]>;
  readonly url: string;
}

/** Waits until the run is ready. */
async function apiOf(run: RunningCli): Promise<Api> {
  let log = '';
  run.child.stderr!.on('data', (text: string) => (log += text));
  await expect.poll(() => /"url":"(http:[^"]+)"/.exec(log)?.[1]).toBeDefined();
  const url = /"url":"(http:[^"]+)"/.exec(log)?.[1] ?? '';
  const call = async (method: string, route: string, body?: object): Promise<readonly [number, unknown]> => {
    const response = await fetch(`${url}/api/v1${route}`, {
      method,
      headers: { connection: 'close', ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return [response.status, await response.json()];
  };
  await expect.poll(async () => (await call('GET', '/streams'))[0]).toBe(200);
  return Object.assign(call, { url });
}

function clipsOf(run: RunningCli, streamId: string): readonly ClipStats[] {
  return recordsOf(run).flatMap((record) =>
    isClip(record) && record.payload.stream_id === streamId ? [record.payload] : [],
  );
}

/** Two more clips of each. */
async function clipsFrom(run: RunningCli, streamIds: readonly string[]): Promise<void> {
  const before = new Map(streamIds.map((id) => [id, clipsOf(run, id).length]));
  for (const id of streamIds)
    await expect.poll(() => clipsOf(run, id).length).toBeGreaterThan((before.get(id) ?? 0) + 1);
}
