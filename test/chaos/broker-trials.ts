import { expect, onTestFinished, vi } from 'vitest';
import { startFaultProxy } from '../../tools/local/fault-proxy.ts';
import { withKafkaAdmin } from '../support/names.ts';
import { isClip, nextRecord } from '../support/runs.ts';
import { describeCounts } from './count.ts';
import type { Trial } from './report.ts';
import { drain, EXIT_MS, stop, type NamedTrial, type TrialContext } from './run-control.ts';
import { createSite, light, type Site } from './site.ts';

/** Clusters that are set up wrongly. */
export const BROKER_TRIALS: readonly NamedTrial[] = [
  { name: 'a Kafka broker that names an address where nobody listens', run: wrongListener },
  { name: 'a Kafka topic with too few replicas', run: tooFewReplicas },
];

async function wrongListener({ servers }: TrialContext): Promise<Trial> {
  const { kafka, advertisedPort } = servers;
  const site = await createSite(servers, { kafka: { brokers: [kafka.proxied] }, more: light(servers) });
  const run = site.start();
  await run.said('correct advertised.listeners of the broker');
  await nextRecord(run, isClip, 10);
  const end = await stop(run, 'SIGTERM');
  // The broker is mended: what it names is the way to it.
  const targetPort = Number(kafka.proxied.split(':')[1]);
  const mended = await startFaultProxy({ targetPort, port: advertisedPort });
  onTestFinished(() => mended[Symbol.asyncDispose]());
  const after = await drain(site);
  const counts = await site.count();
  return {
    promised:
      'a broker that names a wrong address is told with its remedy, delays its records and loses none',
    done: 'a listener that names a port where nobody listens, SIGTERM, the listener put right, another run',
    counted: `exit ${end.code} after ${end.ms} ms, then ${after.code}; ${describeCounts(counts)}`,
    ok: end.code === 0 && end.ms < EXIT_MS && after.code === 0 && counts.faults.length === 0,
  };
}

async function tooFewReplicas({ servers }: TrialContext): Promise<Trial> {
  const follower = await servers.kafka.startFollower();
  onTestFinished(async () => {
    await follower.stop();
    // Until the cluster has noticed, it gives partitions of new topics to the broker that is gone.
    await vi.waitFor(() => hasOneBroker(servers.kafka.brokers), { timeout: 60_000, interval: 250 });
  });
  const site = await createSite(servers, { kafka: { create_topics: undefined }, more: light(servers) });
  await vi.waitFor(() => makeReplicatedTopics(site), { timeout: 120_000, interval: 500 });
  const run = site.start();
  await nextRecord(run, isClip, 2);
  await follower.kill();
  await run.said('fewer in-sync replicas than its min.insync.replicas');
  await nextRecord(run, isClip, 10);
  follower.restart();
  await run.said('the sink accepts this type of record again');
  const end = await stop(run, 'SIGTERM');
  const after = await drain(site);
  const counts = await site.count();
  return {
    promised: 'topics with too few replicas are told with their remedy, delay their records and lose none',
    done: 'two brokers, min.insync.replicas 2; the second broker killed during a run and started again, SIGTERM',
    counted: `exit ${end.code} after ${end.ms} ms, then ${after.code}; ${describeCounts(counts)}`,
    ok: end.code === 0 && end.ms < EXIT_MS && after.code === 0 && counts.faults.length === 0,
  };
}

/** On both brokers, led by the first one; fails until the second one has joined. */
async function makeReplicatedTopics({ brokers, topics }: Site): Promise<void> {
  const names = Object.values(topics as unknown as Record<string, string>);
  await withKafkaAdmin(brokers, (admin) =>
    admin.createTopics({
      topics: names.map((topic) => ({
        topic,
        replicaAssignment: [{ partition: 0, replicas: [1, 2] }],
        configEntries: [{ name: 'min.insync.replicas', value: '2' }],
      })),
      waitForLeaders: true,
    }),
  );
}

async function hasOneBroker(brokers: Site['brokers']): Promise<void> {
  const cluster = await withKafkaAdmin(brokers, (admin) => admin.describeCluster());
  expect(cluster.brokers).toHaveLength(1);
}
