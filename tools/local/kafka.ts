import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { mendRequestQueue } from '../../src/sink/kafka/request-queue.ts';
import { freePort } from './free-port.ts';
import { freezeProcess, spawnGuarded, tailOf, type GuardedChild } from './guarded-child.ts';
import { startKafkaFollower, type KafkaFollower } from './kafka-follower.ts';
import { KAFKA_VERSION, resolveKafkaJars } from './kafka-jars.ts';

mendRequestQueue();

/** A real single-node Kafka of our own on loopback, gone when we are. */
export interface LocalKafka {
  readonly brokers: readonly string[];
  /** host:port of the listener of `proxied`; empty where there is none. */
  readonly proxied: string;
  /** host:port of each further listener, by its name. */
  readonly listeners: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly version: string;
  /** SIGSTOP: connections stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  /** A second broker, so that topics can have two replicas. */
  startFollower(): Promise<KafkaFollower>;
  stop(): Promise<void>;
}

export interface LocalKafkaOptions {
  /** Where jars are kept between runs, e.g. `.cache`. */
  readonly cacheDir: string;
  /** Adds a listener whose advertised port is this one: put a fault proxy there, towards `proxiedPort`. */
  readonly proxied?: { readonly advertisedPort: number; readonly listenPort: number };
  /** Further listeners by name, e.g. `SASL`, each with a port of its own. */
  readonly listeners?: Readonly<Record<string, LocalListener>>;
  /** Users for SCRAM-SHA-256 and -512, with their passwords; made when the storage is formatted. */
  readonly users?: Readonly<Record<string, string>>;
  /** More lines for server.properties, e.g. an authorizer under test. */
  readonly properties?: readonly string[];
}

interface LocalListener {
  readonly protocol: 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** Settings of this listener, without `listener.name.<name>.`. */
  readonly properties?: Readonly<Record<string, string>>;
}

const START_TIMEOUT_MS = 120_000;

/** @throws Error that says what is missing (Java 17, Maven) or the broker's own words */
export async function startLocalKafka(options: LocalKafkaOptions): Promise<LocalKafka> {
  const java = findJava();
  const libs = resolveKafkaJars(options.cacheDir);
  const directory = mkdtempSync(join(tmpdir(), 'actionstream-kafka-'));
  const [port, controllerPort] = [await freePort(), await freePort()];
  const config = join(directory, 'server.properties');
  const listeners: Record<string, string> = {};
  for (const name of Object.keys(options.listeners ?? {})) listeners[name] = `127.0.0.1:${await freePort()}`;
  writeFileSync(config, serverProperties({ directory, port, controllerPort, listeners, options }));
  const logFile = join(directory, 'log');
  appendFileSync(logFile, '');

  const run = [java, ...JVM_FLAGS, '-cp', `${libs}/*`];
  const scram = Object.entries(options.users ?? {}).flatMap(([name, password]) =>
    SCRAM.flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=${name},password=${password}]`]),
  );
  const clusterId = makeClusterId();
  const storage = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', config];
  const format = [...run, ...storage, ...scram];
  const formatted = spawnSync(format[0]!, format.slice(1), { encoding: 'utf8' });
  if (formatted.status !== 0) {
    throw new Error(`Kafka could not format its storage: ${formatted.stdout}${formatted.stderr}`);
  }
  const start = (): GuardedChild =>
    spawnGuarded([java, ...run.slice(1), 'kafka.Kafka', config], { logFile, directory });
  const broker = `127.0.0.1:${port}`;
  let server = start();
  await untilReady(broker, () => server.exited, logFile);
  return {
    brokers: [broker],
    listeners,
    proxied: options.proxied ? `127.0.0.1:${options.proxied.listenPort}` : '',
    version: KAFKA_VERSION,
    get pid() {
      return server.pid;
    },
    freeze: () => {
      freezeProcess(server.pid);
    },
    thaw: () => process.kill(server.pid, 'SIGCONT'),
    kill: () => server.end('SIGKILL', 0),
    restart: async () => {
      await server.end('SIGTERM', 10_000);
      server = start();
      await untilReady(broker, () => server.exited, logFile);
    },
    startFollower: () => startKafkaFollower({ java: [java, ...run.slice(1)], clusterId, controllerPort }),
    stop: async () => {
      // Throw-away data: nobody waits for a clean shutdown.
      await server.end('SIGKILL', 0);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Is Java 17 or newer there? For programs that go on without Kafka. */
export function findJava(): string {
  const java = process.env['JAVA_HOME'] ? join(process.env['JAVA_HOME'], 'bin', 'java') : 'java';
  const answer = spawnSync(java, ['-version'], { encoding: 'utf8' });
  const major = Number(/version "(\d+)/.exec(answer.stderr)?.[1] ?? 0);
  if (major >= 17) return java;
  const found = major === 0 ? 'none was found' : `Java ${major} was found`;
  throw new Error(
    `the Kafka broker needs Java 17 or newer and ${found}; install openjdk-17-jre-headless or set JAVA_HOME`,
  );
}

const JVM_FLAGS = [
  ...['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'],
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

const SCRAM = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

// 16 random bytes in base64url; a leading dash would be read as an option.
function makeClusterId(): string {
  return `A${randomBytes(16).toString('base64url').slice(1)}`;
}

function serverProperties(parts: {
  readonly directory: string;
  readonly port: number;
  readonly controllerPort: number;
  readonly listeners: Readonly<Record<string, string>>;
  readonly options: LocalKafkaOptions;
}): string {
  const { directory, port, controllerPort, listeners, options } = parts;
  const { proxied, properties = [] } = options;
  const named = Object.entries(options.listeners ?? {});
  const further = Object.entries(listeners).map(([name, address]) => `,${name}://${address}`);
  const proxiedListener = proxied ? `,PROXIED://127.0.0.1:${proxied.listenPort}` : '';
  const proxiedAddress = proxied ? `,PROXIED://127.0.0.1:${proxied.advertisedPort}` : '';
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}${proxiedListener}${further.join('')}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}${proxiedAddress}${further.join('')}`,
    'controller.listener.names=CONTROLLER',
    'inter.broker.listener.name=PLAINTEXT',
    ['listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT']
      .concat(named.map(([name, { protocol }]) => `${name}:${protocol}`))
      .join(','),
    ...named.flatMap(([name, listener]) => listenerProperties(name, listener)),
    `log.dirs=${join(directory, 'data')}`,
    // As production should have it: a missing topic is an error that our start-up check reports.
    'auto.create.topics.enable=false',
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=1',
    'group.initial.rebalance.delay.ms=0',
    'log.cleaner.dedupe.buffer.size=2097152',
    // A broker killed with SIGKILL may register again after its session: 3 s instead of 9.
    'broker.session.timeout.ms=3000',
    'broker.heartbeat.interval.ms=500',
    ...properties,
    '',
  ].join('\n');
}

function listenerProperties(name: string, { protocol, properties = {} }: LocalListener): readonly string[] {
  const prefix = `listener.name.${name.toLowerCase()}`;
  const login = protocol.startsWith('SASL')
    ? [
        `${prefix}.sasl.enabled.mechanisms=${SCRAM.join(',')}`,
        ...SCRAM.map(
          (mechanism) =>
            `${prefix}.${mechanism.toLowerCase()}.sasl.jaas.config=` +
            'org.apache.kafka.common.security.scram.ScramLoginModule required;',
        ),
      ]
    : [];
  return [...login, ...Object.entries(properties).map(([key, value]) => `${prefix}.${key}=${value}`)];
}

async function untilReady(broker: string, exited: () => boolean, logFile: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  const { Kafka, logLevel } = kafkajs;
  for (;;) {
    const admin = new Kafka({
      clientId: 'actionstream-start',
      brokers: [broker],
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    }).admin();
    try {
      await admin.connect();
      await admin.describeCluster();
      return;
    } catch (cause) {
      if (exited() || Date.now() > deadline) {
        throw new Error(`Kafka did not start: ${tailOf(logFile)}`, {
          cause,
        });
      }
      await delay(100);
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }
}
