import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { startRtspServer, type RtspServer } from '../../tools/local/rtsp-server.ts';
import { runCli } from '../support/cli.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { temporaryDatabase, uniqueTopics } from '../support/names.ts';
import { endRuns, kafkaSettings, startRun, verify, writeConfig } from '../support/runs.ts';
import { kcat, psql } from '../support/strangers.ts';
import { fileDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

// What refuses us stops the start with a reason; what is absent delays, and loses nothing.

demandNoLeftovers();
const directory = fileDirectory();
afterEach(endRuns);

const PASSWORD = 'c4nary-open-sesame';
const NULL_MODEL = {
  model: { network: 's3d-g', width: 0.125, frames: 4, size: 32, classes: 2 },
  engine: { kind: 'null' },
  events: { on: 0.1, off: 0.05, min_duration: '0s' },
};
let video: string;

beforeAll(async () => {
  video = await busyVideo(directory());
});

describe('a camera that refuses', () => {
  let camera: RtspServer;
  beforeAll(async () => {
    camera = await startRtspServer({
      file: video,
      auth: { username: 'viewer', password: 'another', scheme: 'digest' },
    });
  });
  afterAll(() => camera.stop());

  test.each(['probe', 'infer'])(
    '%s says that the password is wrong, without repeating it',
    async (command) => {
      const url = camera.url.replace('rtsp://', `rtsp://viewer:${PASSWORD}@`);
      const model = command === 'infer' ? ['--model', 's3d-g', '--engine', 'null'] : [];
      const { code, stdout, stderr } = await runCli([command, url, ...model]);

      expect(stderr).toMatch(
        /SOURCE_UNAUTHORIZED: rtsp:\/\/.*127\.0\.0\.1:\d+\/cam: .*401 Unauthorized.*; check user and password/,
      );
      expect(stderr).not.toContain(PASSWORD);
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    },
  );

  test('a path that it does not know', async () => {
    const { code, stderr } = await runCli([
      'probe',
      camera.url.replace('rtsp://', 'rtsp://viewer:another@').replace('/cam', '/dam'),
    ]);

    expect(stderr).toMatch(/SOURCE_NOT_FOUND: rtsp:\/\/.*\/dam: .*404 .*; check the path in the URL/);
    expect(code).toBe(3);
  });
});

describe('services that refuse', () => {
  test('a database that does not exist stops the start', async () => {
    const url = new URL(inject('postgresUrl'));
    url.pathname = '/no_such_database';
    const config = await writeConfig(directory(), {
      ...NULL_MODEL,
      streams: [{ id: 'scene', url: video }],
      journal: { dir: path.join(directory(), 'journal-no-database') },
      sinks: { postgres: { url: url.href } },
    });
    for (const command of [['run'], ['migrate'], ['events', 'query']]) {
      const { code, stdout, stderr } = await runCli([...command, config]);
      expect(stderr).toMatch(/POSTGRES_REFUSED: .*database "no_such_database" does not exist/);
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    }
  });

  test('a broker without our topics stops the start, and says how to have them made', async () => {
    const kafka = { ...kafkaSettings(inject('kafkaBrokers'), uniqueTopics()), create_topics: undefined };
    const config = await writeConfig(directory(), {
      ...NULL_MODEL,
      streams: [{ id: 'scene', url: video }],
      journal: { dir: path.join(directory(), 'journal-no-topics') },
      sinks: { kafka },
    });
    const { code, stdout, stderr } = await runCli(['run', config]);

    expect(stderr).toMatch(/KAFKA_REFUSED: .*topic.*test\.\w+\.action\.event\.v1/);
    expect(stderr).toMatch(/create_topics/);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  });
});

describe('services that are absent', () => {
  let silent: Server;
  const sockets = new Set<{ destroy(): void }>();
  beforeAll(async () => {
    silent = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  test('delay and lose nothing: the run ends with 3 and says what waits, and the next one delivers it', async () => {
    const databaseUrl = await temporaryDatabase();
    const topics = uniqueTopics();
    const journal = path.join(directory(), 'journal-absent');
    const settings = (brokers: readonly string[], url: string): object => ({
      instance: 'absent',
      ...NULL_MODEL,
      streams: [{ id: 'scene', url: video }],
      journal: { dir: journal },
      sinks: {
        kafka: { ...kafkaSettings(brokers, topics), connection_timeout: '1s', request_timeout: '1s' },
        postgres: { url },
      },
    });
    const unanswered = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const absent = await writeConfig(
      directory(),
      settings([unanswered], 'postgres://user:s3cret@127.0.0.1:1/events'),
      'absent.yaml',
    );

    const first = await startRun(['run', absent]).done;

    expect(first.code, first.stderr).toBe(3);
    expect(first.stderr).toMatch(/sink cannot be reached yet; records wait in the journal/);
    expect(first.stderr).toMatch(/Kafka at 127\.0\.0\.1:\d+: no broker answers; check sinks\.kafka\.brokers/);
    expect(first.stderr).toMatch(/Postgres at 127\.0\.0\.1:1\/events: .*ECONNREFUSED.*; check postgres\.url/);
    expect(first.stderr).not.toContain('s3cret');
    const waiting = Array.from(
      first.stderr.matchAll(/^(kafka|postgres): (\d+) records wait in the journal for the next run$/gm),
    );
    expect(waiting.map(([, name]) => name)).toEqual(['kafka', 'postgres']);
    const [kafkaWaits, postgresWaits] = waiting.map(([, , count]) => Number(count));
    expect(kafkaWaits).toBe(postgresWaits);
    expect(kafkaWaits).toBeGreaterThan(10);
    expect(await readdir(journal)).not.toEqual([]);

    const present = await writeConfig(
      directory(),
      settings(inject('kafkaBrokers'), databaseUrl),
      'present.yaml',
    );
    const second = await startRun(['run', present]).done;
    expect(second.code, second.stderr).toBe(0);
    const { consistent, differences, sinks } = await verify(present);
    expect(differences).toEqual([]);
    expect(consistent).toBe(true);
    for (const name of ['kafka', 'postgres'])
      expect(sinks[name], name).toMatchObject({ undelivered: 0, deadLetters: 0 });
    const received = await Promise.all(
      [topics['action.event'], topics['clip.stats'], topics['stream.status']].map((topic) =>
        kcat(inject('kafkaBrokers'), topic),
      ),
    );
    // What waited, and the second run's own.
    expect(received.flat().length).toBeGreaterThan(kafkaWaits!);
    expect(await psql(databaseUrl, 'SELECT DISTINCT stream_id FROM actionstream.clip_stats')).toEqual([
      { stream_id: 'scene' },
    ]);
  });
});
