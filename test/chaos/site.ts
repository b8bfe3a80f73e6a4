import { rm } from 'node:fs/promises';
import path from 'node:path';
import kafkajs from 'kafkajs';
import { freePort } from '../../tools/local/free-port.ts';
import { startRtspServer, type RtspServer } from '../../tools/local/rtsp-server.ts';
import { startLocalKafka, type LocalKafka } from '../../tools/local/kafka.ts';
import { startLocalPostgres, type LocalPostgres } from '../../tools/local/postgres.ts';
import { ROOT, runCli, type RunningCli } from '../support/cli.ts';
import { uniqueDatabase, uniqueTopics } from '../support/names.ts';
import { kafkaSettings, startRun, TINY, writeConfig } from '../support/runs.ts';
import { createDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';
import { countBothSides, type Counts, type Places } from './count.ts';

/** Servers of the suite's own, which are frozen and killed, and two cameras. */
export interface Servers {
  /** Its port without a login may do everything, its listener LOGIN what `camera` was granted. */
  readonly kafka: LocalKafka;
  readonly postgres: LocalPostgres;
  /** The port that the broker's `proxied` listener names; nobody listens there. */
  readonly advertisedPort: number;
  readonly cameras: readonly RtspServer[];
  readonly video: string;
  /** Before the next trial: a broker that answers and holds no topics of the trial before. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

/** Whom Kafka grants nothing by itself. */
export const KAFKA_USER = { username: 'camera', password: 'Geheim-42' };

export async function startServers(): Promise<Servers> {
  const directory = await createDirectory();
  const video = await busyVideo(directory);
  const [listenPort, advertisedPort] = [await freePort(), await freePort()];
  const [kafka, postgres, ...cameras] = await Promise.all([
    startLocalKafka({
      cacheDir: path.join(ROOT, '.cache'),
      users: { [KAFKA_USER.username]: KAFKA_USER.password },
      proxied: { listenPort, advertisedPort },
      listeners: { LOGIN: { protocol: 'SASL_PLAINTEXT' } },
      properties: [
        'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users=User:ANONYMOUS',
      ],
    }),
    startLocalPostgres(),
    startRtspServer({ file: video }),
    startRtspServer({ file: video }),
  ]);
  return {
    kafka,
    postgres,
    advertisedPort,
    cameras,
    video,
    clear: () => clearBroker(kafka),
    async stop() {
      await Promise.all([kafka.stop(), postgres.stop(), ...cameras.map((camera) => camera.stop())]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

// A broker that was killed recovers every partition it holds: with those of fifty trials it takes minutes.
async function clearBroker(kafka: LocalKafka): Promise<void> {
  await deleteTopics(kafka).catch(async () => {
    await kafka.restart();
    await deleteTopics(kafka);
  });
}

async function deleteTopics({ brokers }: LocalKafka): Promise<void> {
  const admin = new kafkajs.Kafka({
    clientId: 'chaos-clear',
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 2 },
  }).admin();
  await admin.connect();
  try {
    const topics = await admin.listTopics();
    await admin.deleteTopics({ topics: topics.filter((topic) => !topic.startsWith('__')) });
  } finally {
    await admin.disconnect();
  }
}

/**
 * A configuration with its own journal, topics and database: two cameras and a
 * file, and episodes that change often.
 */
export interface Site extends Places {
  readonly config: string;
  readonly directory: string;
  /** `actionstream run … --json`. */
  start(env?: Readonly<Record<string, string>>): RunningCli;
  /** The journal and what the runs printed, against both sinks. */
  count(): Promise<Counts>;
  /** The journal alone, against both sinks. */
  countJournal(): Promise<Counts>;
  /** `events verify`: exit code and what it printed. */
  verify(): Promise<{ readonly code: number | null; readonly text: string }>;
  /** Another configuration of the same site. */
  rewrite(name: string, settings: SiteSettings): Promise<Site>;
}

export interface SiteSettings {
  readonly journal?: Readonly<Record<string, unknown>> & { readonly dir?: string };
  readonly kafka?: Readonly<Record<string, unknown>>;
  readonly postgres?: Readonly<Record<string, unknown>>;
  /** Other sections, whole. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Every class is always on, and a new episode begins every two seconds: something to lose at any moment. */
const RESTLESS = { on: 0.1, off: 0.05, min_duration: '0s', max_duration: '2s', update_interval: '1s' };

/** A camera and an engine that costs nothing: records flow on any machine. */
export function light({ cameras }: Servers, streams = 1): Readonly<Record<string, unknown>> {
  return {
    model: { network: 's3d-g', width: 0.125, frames: 4, size: 32, classes: 4 },
    engine: { kind: 'null' },
    defaults: { window: { fps: 15, stride: 2 } },
    streams: Array.from({ length: streams }, (_, n) => ({ id: `camera-${n}`, url: cameras[0]?.url })),
  };
}

export async function createSite(servers: Servers, settings: SiteSettings = {}): Promise<Site> {
  const directory = await temporaryDirectory();
  const { url: databaseUrl } = await uniqueDatabase(servers.postgres.url);
  const journal = settings.journal?.dir ?? path.join(directory, 'journal');
  const places = { journal, brokers: servers.kafka.brokers, topics: uniqueTopics(), databaseUrl };
  return siteOf({ servers, directory, places, runs: [] }, 'run', settings);
}

interface SiteParts {
  readonly servers: Servers;
  readonly directory: string;
  readonly places: Places;
  readonly runs: RunningCli[];
}

async function siteOf(parts: SiteParts, name: string, settings: SiteSettings): Promise<Site> {
  const { servers, directory, places, runs } = parts;
  const { journal: dir, topics, brokers, databaseUrl } = places;
  const content = {
    instance: 'chaos',
    ...TINY,
    defaults: { window: { fps: 15, stride: 8 } },
    streams: [
      ...servers.cameras.map(({ url }, n) => ({ id: `camera-${n}`, url })),
      { id: 'file', url: servers.video, realtime: true },
    ],
    events: RESTLESS,
    journal: { dir, ...settings.journal },
    sinks: {
      kafka: { ...kafkaSettings(brokers, topics), ...settings.kafka },
      postgres: { url: databaseUrl, ...settings.postgres },
    },
    ...settings.more,
  };
  const config = await writeConfig(directory, content, `${name}.yaml`);
  return {
    ...places,
    config,
    directory,
    start(env) {
      const run = startRun(['run', config, '--json'], env);
      runs.push(run);
      return run;
    },
    async count() {
      // Its last lines are read when its pipes are closed.
      await Promise.all(runs.map(({ done }) => done));
      const lines = runs.flatMap((run) => run.lines);
      return countBothSides(places, lines);
    },
    countJournal: () => countBothSides(places),
    async verify() {
      const { code, stdout, stderr } = await runCli(['events', 'verify', config]);
      return { code, text: stdout + stderr };
    },
    rewrite: (other, changed) => siteOf(parts, other, changed),
  };
}
