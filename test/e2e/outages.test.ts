import path from 'node:path';
import { afterEach, expect, inject, onTestFinished, test } from 'vitest';
import type { PublishedRecord } from '../../src/core/records.ts';
import type { KafkaTopics } from '../../src/sink/kafka/options.ts';
import { startLocalKafka } from '../../tools/local/kafka.ts';
import { startLocalPostgres } from '../../tools/local/postgres.ts';
import { startRtspServer } from '../../tools/local/rtsp-server.ts';
import { ROOT } from '../support/cli.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { temporaryDatabase, uniqueTopics } from '../support/names.ts';
import { descendantsOf, stillRunning } from '../support/processes.ts';
import {
  endRuns,
  isClip,
  isEvent,
  kafkaSettings,
  nextRecord,
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

/** Every class is always on … */
const STEADY = { on: 0.1, off: 0.05, min_duration: '0s' };
/** … and a new episode begins every two seconds: something to lose at any moment. */
const RESTLESS = { ...STEADY, max_duration: '2s', update_interval: '1s' };

// Servers of our own: the shared ones must not be killed under the other tests.
test('Kafka and Postgres killed and restarted during a live run: nothing is lost, and SIGTERM drains', async () => {
  const [kafka, postgres] = await Promise.all([
    startLocalKafka({ cacheDir: path.join(ROOT, '.cache') }),
    startLocalPostgres(),
  ]);
  onTestFinished(async () => {
    await Promise.all([kafka.stop(), postgres.stop()]);
  });
  const live = await liveSettings(kafka.brokers, postgres.url);
  const { settings, directory } = live;
  const config = await writeConfig(directory, { ...settings, events: RESTLESS });
  const run = startRun(['run', config, '--json']);
  await nextRecord(run, isClip, 2);

  // Each while the other goes on, then both at once.
  for (const downed of [[kafka], [postgres], [kafka, postgres]]) {
    await Promise.all(downed.map((server) => server.kill()));
    await nextRecord(run, isClip, 3);
    await Promise.all(downed.map((server) => server.restart()));
    await arrived(await nextRecord(run, isClip), live);
  }
  const { code, stderr } = await terminate(run);

  expect(code, stderr).toBe(0);
  // Each was missed: the outages were real.
  for (const sink of ['kafka', 'postgres'])
    expect(stderr).toMatch(new RegExp(`"sink":"${sink}".*a sink does not accept records`));
  const { consistent, differences, sinks } = await verify(config);
  expect(differences).toEqual([]);
  expect(consistent).toBe(true);
  for (const name of ['kafka', 'postgres'])
    expect(sinks[name], name).toMatchObject({ undelivered: 0, deadLetters: 0 });
  const events = recordsOf(run).filter(isEvent);
  expect(events.length).toBeGreaterThan(20);
  expect(sinks['kafka']?.compared).toBeGreaterThanOrEqual(events.length);
});

test('killed with SIGKILL and started again on the same journal: open episodes end with `restart`, no child is left', async () => {
  const databaseUrl = await temporaryDatabase();
  const live = await liveSettings(inject('kafkaBrokers'), databaseUrl);
  const { settings, directory } = live;
  const config = await writeConfig(directory, { ...settings, events: STEADY });
  const killed = startRun(['run', config, '--json']);
  const started = await nextRecord(killed, (record) => isEvent(record) && record.payload.state === 'started');
  const episode = started.type === 'action.event' ? started.payload.episode_id : '';
  const family = await descendantsOf(killed.child.pid!);
  for (const part of ['ffmpeg', 'inference/worker/entry'])
    expect(
      family.some(({ command }) => command.includes(part)),
      part,
    ).toBe(true);
  killed.child.kill('SIGKILL');
  expect((await killed.done).signal).toBe('SIGKILL');
  await expect.poll(() => stillRunning(family)).toEqual([]);

  const again = startRun(['run', config, '--json']);
  const ended = await nextRecord(
    again,
    (record) => isEvent(record) && record.payload.episode_id === episode && record.payload.state === 'ended',
  );
  expect(ended.payload).toMatchObject({ end_reason: 'restart' });
  await arrived(await nextRecord(again, isClip, 2), live);
  const { code, stderr } = await terminate(again);

  expect(code, stderr).toBe(0);
  expect(await verify(config)).toMatchObject({ consistent: true, differences: [] });
  const rows = await psql(
    databaseUrl,
    `SELECT state, end_reason FROM actionstream.action_events WHERE episode_id = '${episode}'`,
  );
  expect(rows).toEqual([{ state: 'ended', end_reason: 'restart' }]);
  const open = 'SELECT episode_id FROM actionstream.action_events WHERE ended_at IS NULL';
  expect(await psql(databaseUrl, open)).toEqual([]);
});

interface Live {
  readonly brokers: readonly string[];
  readonly topics: KafkaTopics;
  readonly databaseUrl: string;
  readonly settings: object;
  readonly directory: string;
}

/** All of a configuration but its events: a camera of its own, delivered to these services. */
async function liveSettings(brokers: readonly string[], databaseUrl: string): Promise<Live> {
  const directory = await temporaryDirectory();
  const camera = await startRtspServer({ file: await busyVideo(directory) });
  onTestFinished(() => camera.stop());
  const topics = uniqueTopics();
  const settings = {
    instance: 'outages',
    ...TINY,
    defaults: { window: { fps: 15, stride: 8 } },
    streams: [{ id: 'camera', url: camera.url }],
    journal: { dir: path.join(directory, 'journal') },
    sinks: { kafka: kafkaSettings(brokers, topics), postgres: { url: databaseUrl } },
  };
  return { brokers, topics, databaseUrl, settings, directory };
}

/** Resolves when the clip can be read from both: the sinks have got over the outage. */
async function arrived(record: PublishedRecord, { brokers, topics, databaseUrl }: Live): Promise<void> {
  const id = record.type === 'clip.stats' ? record.payload.clip_id : '';
  const query = `SELECT clip_id FROM actionstream.clip_stats WHERE clip_id = '${id}'`;
  const patience = { timeout: 60_000, interval: 250 };
  await expect.poll(() => psql(databaseUrl, query), patience).toEqual([{ clip_id: id }]);
  const received = async (): Promise<readonly (string | undefined)[]> =>
    (await kcat(brokers, topics['clip.stats'])).map(({ headers }) => headers['ce_subject']);
  await expect.poll(received, patience).toContain(id);
}
