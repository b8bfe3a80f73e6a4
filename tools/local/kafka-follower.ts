import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { spawnGuarded } from './guarded-child.ts';

/** A second broker of a cluster, which holds replicas: node 2. */
export interface KafkaFollower {
  kill(): Promise<void>;
  /** Starts it again on the same data; whether it has joined, the cluster says. */
  restart(): void;
  stop(): Promise<void>;
}

export interface FollowerParts {
  /** Java with the flags and the class path of a broker. */
  readonly java: readonly [string, ...string[]];
  readonly clusterId: string;
  readonly controllerPort: number;
}

export async function startKafkaFollower({
  java: [java, ...flags],
  clusterId,
  controllerPort,
}: FollowerParts): Promise<KafkaFollower> {
  const directory = mkdtempSync(join(tmpdir(), 'actionstream-kafka-'));
  const [config, logFile] = [join(directory, 'server.properties'), join(directory, 'log')];
  writeFileSync(config, propertiesOf(directory, { port: await freePort(), controllerPort }));
  const format = [...flags, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', config];
  const formatted = spawnSync(java, format, { encoding: 'utf8' });
  if (formatted.status !== 0)
    throw new Error(`the second broker could not format its storage: ${formatted.stdout}${formatted.stderr}`);
  const start = () => spawnGuarded([java, ...flags, 'kafka.Kafka', config], { logFile, directory });
  let server = start();
  return {
    kill: () => server.end('SIGKILL', 0),
    restart() {
      server = start();
    },
    async stop() {
      await server.end('SIGKILL', 0);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function propertiesOf(
  directory: string,
  { port, controllerPort }: { readonly port: number; readonly controllerPort: number },
): string {
  return [
    'process.roles=broker',
    'node.id=2',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=PLAINTEXT://127.0.0.1:${port}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names=CONTROLLER',
    'inter.broker.listener.name=PLAINTEXT',
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    `log.dirs=${join(directory, 'data')}`,
    'broker.session.timeout.ms=3000',
    'broker.heartbeat.interval.ms=500',
    'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users=User:ANONYMOUS',
    '',
  ].join('\n');
}
