import { messageOf } from '../../src/core/errors.ts';
import type { TestProject } from 'vitest/node';
import {
  resolveKafka,
  resolvePostgres,
  type KafkaService,
  type PostgresService,
} from '../../tools/local/services.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly kafkaBrokers: readonly string[];
    readonly postgresUrl: string;
  }
}

interface Shared {
  readonly services: Promise<readonly [KafkaService, PostgresService]>;
  users: number;
}

// Each project loads this module anew: what they share hangs on the process.
const SHARED = Symbol.for('actionstream.test.services');
const holder = globalThis as { [SHARED]?: Shared | undefined };

/** Starts or finds Kafka and Postgres once for all projects of a run; the last project to end stops them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = (holder[SHARED] ??= { services: start(), users: 0 });
  shared.users++;
  const [kafka, postgres] = await shared.services;
  project.provide('kafkaBrokers', kafka.brokers);
  project.provide('postgresUrl', postgres.url);
  return async () => {
    if (--shared.users > 0) return;
    holder[SHARED] = undefined;
    await Promise.all([kafka.stop(), postgres.stop()]);
  };
}

/** One that cannot start stops the other: the run then fails with its sentence. */
async function start(): Promise<readonly [KafkaService, PostgresService]> {
  const [kafka, postgres] = await Promise.allSettled([resolveKafka(), resolvePostgres()]);
  if (kafka.status === 'fulfilled' && postgres.status === 'fulfilled') return [kafka.value, postgres.value];
  if (kafka.status === 'fulfilled') await kafka.value.stop();
  if (postgres.status === 'fulfilled') await postgres.value.stop();
  const reasons = [kafka, postgres].map((result): unknown => result.status === 'rejected' && result.reason);
  throw new Error(reasons.filter(Boolean).map(messageOf).join('\n'), { cause: reasons });
}
