import path from 'node:path';
import { afterEach, expect, inject, onTestFinished, test } from 'vitest';
import { stateAt } from '../../src/client/index.ts';
import type { StreamStatus } from '../../src/core/records.ts';
import { startRtspServer } from '../../tools/local/rtsp-server.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { temporaryDatabase, uniqueTopics } from '../support/names.ts';
import { endRuns, kafkaSettings, startRun, verify, writeConfig } from '../support/runs.ts';
import { kcat, psql } from '../support/strangers.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

demandNoLeftovers();
afterEach(endRuns);

const WITHIN = { timeout: 30_000, interval: 500 };

test('after SIGKILL consumers of topic and table know within 30 s that nobody watches; before it they never do', async () => {
  const directory = await temporaryDirectory();
  const camera = await startRtspServer({ file: await busyVideo(directory) });
  onTestFinished(() => camera.stop());
  const [url, brokers, topics] = [await temporaryDatabase(), inject('kafkaBrokers'), uniqueTopics()];
  const config = await writeConfig(directory, {
    instance: 'killed',
    model: { network: 's3d-g', width: 0.125, frames: 4, size: 32, classes: 4 },
    engine: { kind: 'null' },
    streams: [{ id: 'gate', url: camera.url, name: 'Gate', site: 'Kiel', tags: ['dock', 'night'] }],
    journal: { dir: path.join(directory, 'journal') },
    sinks: { kafka: kafkaSettings(brokers, topics), postgres: { url } },
  });
  const run = startRun(['run', config]);

  const statuses = async () =>
    (await kcat(brokers, topics['stream.status'])).map(({ payload, headers }) => ({
      status: JSON.parse(payload) as StreamStatus,
      headers,
    }));
  const ofTopic = async (): Promise<string> => {
    const last = (await statuses()).at(-1);
    return last ? stateAt(last.status, Date.now()) : 'nothing';
  };
  const ofTable = async (): Promise<string> =>
    (await psql<{ state: string }>(url, 'SELECT state FROM actionstream.stream_states'))[0]?.state ??
    'nothing';
  await expect.poll(ofTable, { timeout: 60_000 }).toBe('up');

  // Longer than a state may be believed: it lives because it is repeated.
  const seen = new Set<string>();
  const isRepeated = async (): Promise<boolean> => {
    seen.add(await ofTopic()).add(await ofTable());
    return (await statuses()).filter(({ status }) => status.repeats !== undefined).length >= 4;
  };
  await expect.poll(isRepeated, { timeout: 120_000, interval: 1000 }).toBe(true);
  expect([...seen]).toEqual(['up']);
  run.child.kill('SIGKILL');
  await run.done;

  await Promise.all([
    expect.poll(ofTopic, WITHIN).toBe('unknown'),
    expect.poll(ofTable, WITHIN).toBe('unknown'),
  ]);
  const [row] = await psql(
    url,
    'SELECT name, site, tags, reported_state, reason FROM actionstream.stream_states',
  );
  expect(row).toEqual({
    ...{ name: 'Gate', site: 'Kiel', tags: ['dock', 'night'] },
    ...{ reported_state: 'up', reason: 'first_frame' },
  });
  expect((await statuses()).at(-1)?.headers).toMatchObject({
    ...{ ce_type: 'io.actionstream.stream.up.v1', ce_site: 'Kiel', ce_tags: 'dock,night' },
  });
  // What was said twice has one row, and the next run knows the stream again.
  const rows = await psql<{ id: string }>(url, 'SELECT status_id AS id FROM actionstream.stream_status');
  const said = (await statuses()).filter(({ status }) => status.repeats === undefined);
  expect(rows.map(({ id }) => id).sort()).toEqual(said.map(({ status }) => status.status_id).sort());
  const again = startRun(['run', config]);
  await expect.poll(ofTable, { timeout: 60_000 }).toBe('up');
  again.child.kill('SIGTERM');
  expect(await again.done).toMatchObject({ code: 0 });
  expect([await ofTopic(), await ofTable()]).toEqual(['ended', 'ended']);
  expect(await verify(config)).toMatchObject({ consistent: true });
});
