import path from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { startRtspServer } from '../../tools/local/rtsp-server.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { descendantsOf } from '../support/processes.ts';
import {
  endRuns,
  isClip,
  nextRecord,
  recordsOf,
  startRun,
  terminate,
  TINY,
  writeConfig,
} from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

demandNoLeftovers();
afterEach(endRuns);

test('a run tells how fresh its streams are, what its budget is and what became of its engine', async () => {
  const directory = await temporaryDirectory();
  const camera = await startRtspServer({ file: await busyVideo(directory) });
  onTestFinished(() => camera.stop());
  camera.faults.refuse(503);
  const config = await writeConfig(directory, {
    ...TINY,
    engine: { processes: 1, budget: { p95_latency: '1500ms', max_delta_scale: 2 } },
    metrics: { port: 0 },
    defaults: { reconnect: { first: '100ms', max: '100ms' } },
    streams: [{ id: 'cam', url: camera.url }],
    journal: { dir: path.join(directory, 'journal') },
  });
  const begun = Date.now();
  const run = startRun(['run', config, '--json']);
  const [, url = ''] = URL_SAID.exec(await run.said(URL_SAID)) ?? [];
  expect(await scrape(url)).toMatchObject({ 'actionstream_clips_total{stream_id="cam"}': 0 });
  camera.faults.refuse(undefined);
  await nextRecord(run, isClip, 2);

  const early = await scrape(url);
  const scrapedAfterS = (Date.now() - begun) / 1000;
  const [engine] = (await descendantsOf(run.child.pid!)).filter(({ command }) =>
    command.includes('entry.js'),
  );
  process.kill(engine!.pid, 'SIGKILL');
  await nextRecord(run, isClip, 2);
  const late = await scrape(url);
  const { code, stderr } = await terminate(run);

  expect(code, stderr).toBe(0);
  expect(early['actionstream_stream_up{stream_id="cam"}']).toBe(1);
  // The newest clip ended some time after the start.
  const lag = early['actionstream_stream_lag_seconds{stream_id="cam"}'];
  expect(lag).toBeGreaterThan(0);
  expect(lag).toBeLessThan(scrapedAfterS);
  expect(early).toMatchObject({
    'actionstream_stream_delta{stream_id="cam"}': expect.any(Number) as number,
    'actionstream_stream_queue_length{stream_id="cam"}': expect.any(Number) as number,
    'actionstream_stream_queue_capacity{stream_id="cam"}': 4,
    actionstream_engine_queue_length: expect.any(Number) as number,
    actionstream_engines: 1,
    actionstream_engine_restarts_total: 0,
    actionstream_engine_retries_total: 0,
    actionstream_budget_latency_p95_target_seconds: 1.5,
    actionstream_budget_delta_scale_limit: 2,
    actionstream_budget_delta_scale: expect.any(Number) as number,
    actionstream_budget_utilisation_ratio: expect.any(Number) as number,
  });
  expect(early['actionstream_budget_latency_p95_seconds']).toBeGreaterThan(0);
  expect(late['actionstream_engine_restarts_total']).toBe(1);
  // The figures are those of the records.
  const reported = late['actionstream_clips_total{stream_id="cam"}'] ?? 0;
  const clips = recordsOf(run).filter(isClip);
  expect(reported).toBeGreaterThanOrEqual(4);
  expect(reported).toBeLessThanOrEqual(clips.length);
  const used = clips.slice(0, reported).reduce((sum, { payload }) => sum + payload.compute.multiply_adds, 0);
  expect(late['actionstream_multiply_adds_total{stream_id="cam",kind="used"}']).toBe(used);
});

/** Where a run serves its metrics, as its log says. */
const URL_SAID = /"url":"(http:[^"]+)"/;

/** Sample → value. */
async function scrape(url: string): Promise<Readonly<Record<string, number>>> {
  // An idle connection may be closed by the server while the next request is on its way.
  const response = await fetch(url, { headers: { connection: 'close' } });
  expect(response.status).toBe(200);
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}
