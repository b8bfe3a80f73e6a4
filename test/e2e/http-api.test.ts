import path from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { endRuns, isClip, nextRecord, startRun, terminate, TINY, writeConfig } from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

demandNoLeftovers();
afterEach(endRuns);

test('a run answers from its start, becomes ready, streams its records and stops with readers connected', async () => {
  const directory = await temporaryDirectory();
  const config = await writeConfig(directory, {
    ...TINY,
    http: { port: 0 },
    defaults: { realtime: true },
    streams: [{ id: 'cam', url: await busyVideo(directory) }],
    journal: { dir: path.join(directory, 'journal') },
  });
  const run = startRun(['run', config, '--json']);
  let log = '';
  run.child.stderr!.on('data', (text: string) => (log += text));
  await expect.poll(() => /"url":"http:[^"]+"/.test(log)).toBe(true);
  const url = /"url":"(http:[^"]+)"/.exec(log)?.[1] ?? '';
  expect(await statusOf(`${url}/livez`)).toBe(200);
  await expect.poll(() => statusOf(`${url}/readyz`)).toBe(200);
  expect(await statusOf(`${url}/startupz`)).toBe(200);

  const stop = new AbortController();
  onTestFinished(() => {
    stop.abort();
  });
  const live = await fetch(`${url}/api/v1/live?type=clip.stats`, {
    headers: { 'last-event-id': '0' },
    signal: stop.signal,
  });
  const reader = live.body!.pipeThrough(new TextDecoderStream()).getReader();
  const first = await nextRecord(run, isClip, 1);
  let told = '';
  const payload = JSON.stringify(first.payload);
  while (!told.includes(`event: clip.stats\ndata: ${payload}\n`)) told += (await reader.read()).value ?? '';
  const { streams } = (await (await fetch(`${url}/api/v1/streams`)).json()) as {
    readonly streams: readonly object[];
  };
  expect(streams).toMatchObject([{ stream_id: 'cam', state: 'up' }]);
  expect(await statusOf(`${url}/api/v1/streams/cam/snapshot`)).toBe(200);
  expect(await statusOf(`${url}/api/v1/events`)).toBe(503);

  const { code, stderr } = await terminate(run);

  expect(code, stderr).toBe(0);
  const isOver = (): Promise<boolean> =>
    reader.read().then(
      ({ done }) => done,
      () => true,
    );
  while (!(await isOver()));
});

async function statusOf(url: string): Promise<number> {
  // An idle connection may be closed by the server while the next request is on its way.
  const response = await fetch(url, { headers: { connection: 'close' } });
  await response.arrayBuffer();
  return response.status;
}
