import { randomUUID } from 'node:crypto';
import kafkajs, { type Admin } from 'kafkajs';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import type { KafkaTopics } from '../../src/sink/kafka/options.ts';

/** Topic names that nobody else uses. */
export function uniqueTopics(): KafkaTopics {
  const prefix = `test.${randomUUID().slice(0, 8)}`;
  return {
    'action.event': `${prefix}.action.event.v1`,
    'clip.stats': `${prefix}.clip.stats.v1`,
    'stream.status': `${prefix}.stream.status.v1`,
    deadLetter: `${prefix}.action.event.v1.dlq`,
  };
}

/** An empty database of its own on the server; `drop` removes it with everything in it. */
export async function uniqueDatabase(serverUrl: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `test_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  await runSql(serverUrl, `CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => runSql(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** An empty database of its own on the shared server, which goes with the test; its URL. */
export async function temporaryDatabase(): Promise<string> {
  const { url, drop } = await uniqueDatabase(inject('postgresUrl'));
  onTestFinished(drop);
  return url;
}

/**
 * A connection in which the statements have run; what they hold, such as locks,
 * is held until the function is called.
 */
export async function heldSession(url: string, statements: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(statements);
  return () => client.end();
}

export async function runSql(url: string, sql: string): Promise<void> {
  await rowsOf(url, sql);
}

export async function rowsOf(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

export async function withKafkaAdmin<T>(
  brokers: readonly string[],
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = new kafkajs.Kafka({
    clientId: 'actionstream-test',
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}
