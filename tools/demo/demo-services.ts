import path from 'node:path';
import { startLocalKafka } from '../local/kafka.ts';
import { startLocalPostgres } from '../local/postgres.ts';

export interface DemoServices extends AsyncDisposable {
  readonly postgresUrl: string;
  /** Absent where Java 17 or Maven is missing. */
  readonly brokers?: readonly string[];
}

const CACHE_DIR = path.join(import.meta.dirname, '..', '..', '.cache');

/** A real Postgres and, where Java and Maven are found, a real Kafka, on loopback and for this run only. */
export async function startServices(say: (text: string) => void): Promise<DemoServices> {
  const postgres = await startLocalPostgres();
  say(`Postgres  ${postgres.url}`);
  const kafka = await startLocalKafka({ cacheDir: CACHE_DIR }).catch((error: unknown) => {
    say(`Kafka     not started: ${error instanceof Error ? error.message : String(error)}`);
    say('          events go to Postgres and standard output only');
    return undefined;
  });
  if (kafka) say(`Kafka     ${kafka.brokers.join(',')} (Apache Kafka ${kafka.version})`);
  return {
    postgresUrl: postgres.url,
    ...(kafka && { brokers: kafka.brokers }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([postgres.stop(), kafka?.stop()]);
    },
  };
}
