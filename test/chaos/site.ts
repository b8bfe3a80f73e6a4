import { rm } from 'node:fs/promises';
import path from 'node:path';
import { startRtspServer, type RtspServer } from '../../tools/local/rtsp-server.ts';
import { startLocalKafka, type LocalKafka } from '../../tools/local/kafka.ts';
import { startLocalPostgres, type LocalPostgres } from '../../tools/local/postgres.ts';
import { ROOT, runCli } from '../support/cli.ts';
import { uniqueDatabase, uniqueTopics } from '../support/names.ts';
import { kafkaSettings, TINY, writeConfig } from '../support/runs.ts';
import { createDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';
import { countBothSides, type Counts, type Places } from './count.ts';

/** Servers of the suite's own, which are frozen and killed, and two cameras. */
export interface Servers {
  readonly kafka: LocalKafka;
  readonly postgres: LocalPostgres;
  readonly cameras: readonly RtspServer[];
  readonly video: string;
  stop(): Promise<void>;
}

export async function startServers(): Promise<Servers> {
  const directory = await createDirectory();
  const video = await busyVideo(directory);
  const [kafka, postgres, ...cameras] = await Promise.all([
    startLocalKafka({ cacheDir: path.join(ROOT, '.cache') }),
    startLocalPostgres(),
    startRtspServer({ file: video }),
    startRtspServer({ file: video }),
  ]);
  return {
    kafka,
    postgres,
    cameras,
    video,
    async stop() {
      await Promise.all([kafka.stop(), postgres.stop(), ...cameras.map((camera) => camera.stop())]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A configuration with its own journal, topics and database: two cameras and a file, and episodes that change often. */
export interface Site extends Places {
  readonly config: string;
  readonly directory: string;
  count(): Promise<Counts>;
  /** `events verify`: exit code and what it printed. */
  verify(): Promise<{ readonly code: number | null; readonly text: string }>;
}

/** Every class is always on, and a new episode begins every two seconds: something to lose at any moment. */
const RESTLESS = { on: 0.1, off: 0.05, min_duration: '0s', max_duration: '2s', update_interval: '1s' };

export async function createSite(
  { kafka, postgres, cameras, video }: Servers,
  more: { readonly journal?: object } = {},
): Promise<Site> {
  const directory = await temporaryDirectory();
  const topics = uniqueTopics();
  const { url: databaseUrl } = await uniqueDatabase(postgres.url);
  const journal = path.join(directory, 'journal');
  const config = await writeConfig(directory, {
    instance: 'chaos',
    ...TINY,
    defaults: { window: { fps: 15, stride: 8 } },
    streams: [
      ...cameras.map(({ url }, n) => ({ id: `camera-${n}`, url })),
      { id: 'file', url: video, realtime: true },
    ],
    events: RESTLESS,
    journal: { dir: journal, ...more.journal },
    sinks: { kafka: kafkaSettings(kafka.brokers, topics), postgres: { url: databaseUrl } },
  });
  const places: Places = { journal, brokers: kafka.brokers, topics, databaseUrl };
  return {
    ...places,
    config,
    directory,
    count: () => countBothSides(places),
    async verify() {
      const { code, stdout, stderr } = await runCli(['events', 'verify', config]);
      return { code, text: stdout + stderr };
    },
  };
}
