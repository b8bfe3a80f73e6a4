import kafkajs from 'kafkajs';
import { runCli } from '../support/cli.ts';
import { withKafkaAdmin } from '../support/names.ts';
import { isClip, nextRecord } from '../support/runs.ts';
import { kcat } from '../support/strangers.ts';
import { describeCounts } from './count.ts';
import type { Trial } from './report.ts';
import { drain, EXIT_MS, stop, type NamedTrial, type TrialContext } from './run-control.ts';
import { createSite, KAFKA_USER, light, type Site } from './site.ts';

/** What Kafka refuses for a while. */
export const KAFKA_TRIALS: readonly NamedTrial[] = [
  { name: 'Kafka refuses a size, then takes it', run: refuseSize },
  { name: 'Kafka refuses a right, then grants it', run: refuseRight },
  { name: 'a Kafka topic deleted, which the program may make', run: deleteOwnTopic },
  { name: 'a Kafka topic deleted, which somebody else makes', run: deleteTopic },
  { name: 'a Kafka topic that is not there at the start', run: unknownTopic },
];

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
const MIB = '1048576';

async function refuseSize({ servers }: TrialContext): Promise<Trial> {
  const site = await createSite(servers, { more: light(servers) });
  const run = site.start();
  await nextRecord(run, isClip, 2);
  await limitSize(site, '400');
  await run.said('Kafka can never accept a record');
  await limitSize(site, MIB);
  await nextRecord(run, isClip, 6);
  const end = await stop(run, 'SIGTERM');
  const dead = await kcat(site.brokers, site.topics.deadLetter);
  const missing = missingIn((await site.count()).faults);
  const { after, counts } = await redelivered(site);
  return {
    promised:
      'a record that Kafka refuses for its size is in the topic of dead letters; `events redeliver` sends it once it may go',
    done: 'max.message.bytes of a topic 400 until a record was refused, then 1 MiB; SIGTERM; `events redeliver`',
    counted: `exit ${end.code} after ${end.ms} ms; dead letters ${dead.length}, missing ${missing}; then ${after}; ${describeCounts(counts)}`,
    ok:
      end.code === 0 &&
      end.ms < EXIT_MS &&
      dead.length > 0 &&
      dead.length === missing &&
      counts.faults.length === 0,
  };
}

async function refuseRight({ servers }: TrialContext): Promise<Trial> {
  const [listener = ''] = Object.values(servers.kafka.listeners);
  const sasl = { mechanism: 'scram-sha-512', ...KAFKA_USER };
  const site = await createSite(servers, {
    kafka: { brokers: [listener], sasl, create_topics: undefined },
    more: light(servers),
  });
  await makeTopics(site, topicsOf(site));
  for (const topic of topicsOf(site)) await allowWriting(site, topic, true);
  const run = site.start();
  await nextRecord(run, isClip, 2);
  await allowWriting(site, site.topics['clip.stats'], false);
  await run.said('may not write to');
  const before = (await kcat(site.brokers, site.topics['action.event'])).length;
  await nextRecord(run, isClip, 30);
  const during = (await kcat(site.brokers, site.topics['action.event'])).length;
  await allowWriting(site, site.topics['clip.stats'], true);
  await nextRecord(run, isClip, 6);
  const end = await stop(run, 'SIGTERM');
  const after = await drain(site);
  const counts = await site.count();
  return {
    promised: 'a topic without Write waits alone: the others flow, nothing is doubled, nothing lost',
    done: 'Write on one topic taken away during a run and granted again, then SIGTERM',
    counted: `other topic ${before} to ${during} meanwhile; exit ${end.code} after ${end.ms} ms, then ${after.code}; ${describeCounts(counts)}`,
    ok:
      during > before &&
      end.code === 0 &&
      end.ms < EXIT_MS &&
      counts.duplicates === 0 &&
      counts.faults.length === 0,
  };
}

async function deleteOwnTopic({ servers }: TrialContext): Promise<Trial> {
  const site = await createSite(servers, { more: light(servers) });
  const run = site.start();
  await nextRecord(run, isClip, 4);
  await deleteClips(site);
  await run.said('a missing topic was created');
  return finishDeleted(site, run, 'a topic deleted during a run; the program made it again');
}

async function deleteTopic({ servers }: TrialContext): Promise<Trial> {
  const site = await createSite(servers, { kafka: { create_topics: undefined }, more: light(servers) });
  await makeTopics(site, topicsOf(site));
  const run = site.start();
  await nextRecord(run, isClip, 4);
  await deleteClips(site);
  await run.said('there is no topic');
  await makeTopics(site, [site.topics['clip.stats']]);
  return finishDeleted(site, run, 'a topic deleted during a run and made again by its owner');
}

async function finishDeleted(site: Site, run: ReturnType<Site['start']>, done: string): Promise<Trial> {
  await nextRecord(run, isClip, 6);
  const end = await stop(run, 'SIGTERM');
  const gone = missingIn((await site.count()).faults);
  const { after, counts } = await redelivered(site);
  return {
    promised:
      'a deleted topic costs what was in it and holds up nothing; `events redeliver` fills it from the journal',
    done: `${done}; SIGTERM; \`events redeliver\``,
    counted: `exit ${end.code} after ${end.ms} ms; gone with the topic ${gone}; then ${after}; ${describeCounts(counts)}`,
    ok: end.code === 0 && end.ms < EXIT_MS && counts.faults.length === 0,
  };
}

async function unknownTopic({ servers }: TrialContext): Promise<Trial> {
  const site = await createSite(servers, { kafka: { create_topics: undefined }, more: light(servers) });
  const refused = await site.start().done;
  await makeTopics(site, topicsOf(site));
  const after = await drain(site);
  const counts = await site.count();
  return {
    promised: 'missing topics stop the start with exit 3 and their names',
    done: 'a start without topics, the topics made, another run',
    counted: `exit ${refused.code}, then ${after.code}; ${describeCounts(counts)}`,
    ok:
      refused.code === 3 &&
      refused.stderr.includes(site.topics['action.event']) &&
      after.code === 0 &&
      counts.faults.length === 0,
  };
}

async function redelivered(
  site: Site,
): Promise<{ readonly after: number | null; readonly counts: Awaited<ReturnType<Site['count']>> }> {
  const { code, stderr } = await runCli(['events', 'redeliver', '--sink', 'kafka', '--all', site.config]);
  if (code !== 0) throw new Error(`events redeliver ended with ${code ?? 'a signal'}: ${stderr}`);
  const after = await drain(site);
  return { after: after.code, counts: await site.count() };
}

function missingIn(faults: readonly string[]): number {
  return faults.reduce((sum, fault) => sum + Number(/^Kafka \S+: (\d+) missing/.exec(fault)?.[1] ?? 0), 0);
}

function topicsOf({ topics }: Site): readonly string[] {
  return Object.values(topics as unknown as Record<string, string>);
}

function makeTopics({ brokers }: Site, topics: readonly string[]): Promise<unknown> {
  return withKafkaAdmin(brokers, (admin) =>
    admin.createTopics({
      topics: topics.map((topic) => ({ topic, numPartitions: 1 })),
      waitForLeaders: true,
    }),
  );
}

function deleteClips({ brokers, topics }: Site): Promise<void> {
  return withKafkaAdmin(brokers, (admin) => admin.deleteTopics({ topics: [topics['clip.stats']] }));
}

async function limitSize({ brokers, topics }: Site, value: string): Promise<void> {
  const configEntries = [{ name: 'max.message.bytes', value }];
  const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topics['clip.stats'], configEntries };
  await withKafkaAdmin(brokers, (admin) =>
    admin.alterConfigs({ validateOnly: false, resources: [resource] }),
  );
}

/** Describe stays where Write is taken away. */
async function allowWriting({ brokers }: Site, topic: string, isAllowed: boolean): Promise<void> {
  const rule = (operation: (typeof AclOperationTypes)[keyof typeof AclOperationTypes]) => ({
    ...{ resourceType: AclResourceTypes.TOPIC, resourceName: topic, operation, host: '*' },
    ...{ resourcePatternType: ResourcePatternTypes.LITERAL, permissionType: AclPermissionTypes.ALLOW },
    principal: `User:${KAFKA_USER.username}`,
  });
  await withKafkaAdmin<unknown>(brokers, (admin) =>
    isAllowed
      ? admin.createAcls({ acl: [rule(AclOperationTypes.WRITE), rule(AclOperationTypes.DESCRIBE)] })
      : admin.deleteAcls({ filters: [rule(AclOperationTypes.WRITE)] }),
  );
  if (!isAllowed)
    await withKafkaAdmin(brokers, (admin) => admin.createAcls({ acl: [rule(AclOperationTypes.DESCRIBE)] }));
}
