import { join } from 'node:path';
import { startLocalKafka, type LocalKafka } from './kafka.ts';
import { startLocalPostgres, type LocalPostgres } from './postgres.ts';

/** Where a service came from: named by the environment, a Docker container, or a process of our own. */
type Origin = 'env' | 'docker' | 'local';

export interface KafkaService {
  readonly via: Origin;
  readonly brokers: readonly string[];
  stop(): Promise<void>;
}

export interface PostgresService {
  readonly via: Origin;
  readonly url: string;
  stop(): Promise<void>;
}

const CACHE_DIR = join(import.meta.dirname, '..', '..', '.cache');

/** TEST_KAFKA_BROKERS, else Docker, else a broker of our own. @throws with every way to provide one */
export async function resolveKafka(): Promise<KafkaService> {
  const brokers = process.env['TEST_KAFKA_BROKERS'];
  if (brokers) return { via: 'env', brokers: brokers.split(','), stop: () => Promise.resolve() };
  if (await dockerAnswers()) {
    const { KafkaContainer } = await import('@testcontainers/kafka');
    const container = await new KafkaContainer('confluentinc/cp-kafka:8.1.0').start();
    return {
      via: 'docker',
      brokers: [`${container.getHost()}:${container.getMappedPort(9093)}`],
      stop: async () => {
        await container.stop();
      },
    };
  }
  const local: LocalKafka = await startLocalKafka({ cacheDir: CACHE_DIR }).catch((cause: unknown) => {
    throw missing('Kafka', 'TEST_KAFKA_BROKERS=host:port', 'install Java 17 and Maven', cause);
  });
  return { via: 'local', ...pick(local) };
}

/** TEST_PG_URL, else Docker, else a server of our own. @throws with every way to provide one */
export async function resolvePostgres(): Promise<PostgresService> {
  const url = process.env['TEST_PG_URL'];
  if (url) return { via: 'env', url, stop: () => Promise.resolve() };
  if (await dockerAnswers()) {
    const { PostgreSqlContainer } = await import('@testcontainers/postgresql');
    const container = await new PostgreSqlContainer('postgres:18-alpine').start();
    return {
      via: 'docker',
      url: container.getConnectionUri(),
      stop: async () => {
        await container.stop();
      },
    };
  }
  const local: LocalPostgres = await startLocalPostgres().catch((cause: unknown) => {
    throw missing('Postgres', 'TEST_PG_URL=postgres://…', 'run `npm ci` (it brings the binaries)', cause);
  });
  return { via: 'local', url: local.url, stop: () => local.stop() };
}

function pick(kafka: LocalKafka): Pick<KafkaService, 'brokers' | 'stop'> {
  return { brokers: kafka.brokers, stop: () => kafka.stop() };
}

/** A docker command on PATH proves nothing: ask for a running engine (a few milliseconds without one). */
async function dockerAnswers(): Promise<boolean> {
  if (process.env['TEST_INFRA'] === 'local') return false;
  try {
    const { getContainerRuntimeClient } = await import('testcontainers');
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false;
  }
}

function missing(name: string, variable: string, install: string, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(
    `no ${name} for the tests: set ${variable}, or start Docker, or ${install} for a local one. ` +
      `The local one failed: ${why}`,
    { cause },
  );
}
