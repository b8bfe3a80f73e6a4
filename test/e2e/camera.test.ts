import { statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, inject, onTestFinished, test } from 'vitest';
import { startRtspServer, type RtspServerOptions } from '../../tools/local/rtsp-server.ts';
import { runCli } from '../support/cli.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { temporaryDatabase, uniqueTopics } from '../support/names.ts';
import { descendantsOf, stillRunning } from '../support/processes.ts';
import {
  endRuns,
  isClip,
  isStatus,
  kafkaSettings,
  nextRecord,
  startRun,
  terminate,
  TINY,
  writeConfig,
} from '../support/runs.ts';
import { kcat, psql, psqlText } from '../support/strangers.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

demandNoLeftovers();
afterEach(endRuns);

const LOGIN = { username: 'viewer', password: 'c4nary-Secret-7f3d', scheme: 'digest' } as const;

test('a camera that stalls, hangs up, is killed and comes back: frames come again, and all of it is reported', async () => {
  const directory = await temporaryDirectory();
  const options: RtspServerOptions = { file: await busyVideo(directory), auth: LOGIN };
  const databaseUrl = await temporaryDatabase();
  const [brokers, topics] = [inject('kafkaBrokers'), uniqueTopics()];
  let camera = await startRtspServer(options);
  onTestFinished(() => camera.stop());
  const url = camera.url.replace('rtsp://', `rtsp://${LOGIN.username}:${LOGIN.password}@`);
  const config = await writeConfig(directory, {
    instance: 'camera',
    ...TINY,
    defaults: {
      window: { fps: 15, stride: 8 },
      no_frame_timeout: '2s',
      reconnect: { first: '100ms', max: '500ms' },
    },
    events: { on: 0.1, off: 0.05, min_duration: '0s' },
    streams: [{ id: 'gate', url }],
    journal: { dir: path.join(directory, 'journal') },
    sinks: { kafka: kafkaSettings(brokers, topics), postgres: { url: databaseUrl } },
    log: { level: 'debug' },
  });
  const run = startRun(['run', config, '--json']);
  await nextRecord(run, isClip, 2);
  const family = await descendantsOf(run.child.pid!);
  expect(family.some(({ command }) => command.includes('ffmpeg'))).toBe(true);

  const afterFault = async (state: string, fault: () => unknown): Promise<void> => {
    const reported = nextRecord(run, isStatus(state));
    await fault();
    await reported;
  };
  const framesAgain = async (repair: () => unknown): Promise<void> => {
    const [up, clip] = [
      nextRecord(run, isStatus('up')),
      nextRecord(run, isStatus('up')).then(() => nextRecord(run, isClip)),
    ];
    await repair();
    await Promise.all([up, clip]);
  };
  await afterFault('stalled', () => {
    camera.faults.stall();
  });
  await framesAgain(() => {
    camera.faults.resume();
  });
  await framesAgain(() => {
    camera.faults.dropClients();
  });
  const { port } = camera;
  await afterFault('down', () => camera.stop());
  await framesAgain(async () => {
    camera = await startRtspServer({ ...options, port });
  });
  const decoders = async () =>
    (await descendantsOf(run.child.pid!)).filter(({ command }) => /^\S*ffmpeg\b/.test(command));
  await expect.poll(decoders, { message: 'those of lost connections are gone' }).toHaveLength(1);
  const children = [...family, ...(await descendantsOf(run.child.pid!))];
  const { code, stderr } = await terminate(run);

  expect(code, stderr).toBe(0);
  await expect.poll(() => stillRunning(children)).toEqual([]);
  await expectTold(databaseUrl);
  const places = {
    'standard output': run.lines.join('\n'),
    'standard error': stderr,
    'process list': children.map(({ command }) => command).join('\n'),
    'topic of events': JSON.stringify(await kcat(brokers, topics['action.event'])),
    'topic of clips': JSON.stringify(await kcat(brokers, topics['clip.stats'])),
    'topic of statuses': JSON.stringify(await kcat(brokers, topics['stream.status'])),
    database: await allRowsOf(databaseUrl),
    journal: await bytesBelow(path.join(directory, 'journal')),
    'config print': (await runCli(['config', 'print', config])).stdout,
  };
  const basic = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64');
  for (const [place, text] of Object.entries(places)) {
    expect(text.includes('gate') || place === 'process list', `${place} has been read`).toBe(true);
    for (const secret of [LOGIN.password, basic])
      expect(text.includes(secret), `secret in ${place}`).toBe(false);
  }
});

async function expectTold(databaseUrl: string): Promise<void> {
  const statuses = await psql<{ state: string; reason: string }>(
    databaseUrl,
    `SELECT state, reason FROM actionstream.stream_status WHERE stream_id = 'gate' ORDER BY at, status_id`,
  );
  const reported = statuses.map(({ state, reason }) => `${state} ${reason}`);
  expect(reported[0]).toBe('connecting start');
  for (const line of ['stalled no_frames', 'down no_frames', 'down exit', 'ended aborted'])
    expect(reported).toContain(line);
  expect(reported.filter((line) => line.startsWith('up')).length).toBeGreaterThanOrEqual(4);

  const gaps = await psql<{ seconds: number }>(
    databaseUrl,
    `SELECT extract(epoch FROM to_at - from_at) AS seconds FROM actionstream.stream_gaps WHERE stream_id = 'gate'`,
  );
  expect(gaps.length).toBeGreaterThanOrEqual(3);
  for (const { seconds } of gaps) expect(seconds).toBeGreaterThan(0);
  expect(Math.max(...gaps.map(({ seconds }) => seconds)), 'the stall').toBeGreaterThan(1.5);

  // What was going on when the camera was lost ended there.
  const ends = await psql<{ end_reason: string; count: number }>(
    databaseUrl,
    'SELECT end_reason, count(*) FROM actionstream.action_events GROUP BY end_reason ORDER BY end_reason',
  );
  expect(ends.map(({ end_reason: reason }) => reason)).toEqual(['discontinuity', 'shutdown']);
}

/** Every row of every table, as text. */
async function allRowsOf(databaseUrl: string): Promise<string> {
  const tables = await psql<{ name: string }>(
    databaseUrl,
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const rows = await Promise.all(
    tables.map(({ name }) => psqlText(databaseUrl, `SELECT t::text FROM ${name} AS t`)),
  );
  return rows.join('\n');
}

/** The bytes of every file below a folder, as latin1. */
async function bytesBelow(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true });
  const paths = names.map((name) => path.join(folder, name));
  const files = paths.filter((file) => statSync(file).isFile());
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n');
}
