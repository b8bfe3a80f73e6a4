import type { Admin } from 'kafkajs';
import { ActionstreamError } from '../../core/errors.ts';
import { rootOf } from './errors.ts';
import type { KafkaSinkOptions, KafkaTopics } from './options.ts';

/**
 * Are all topics there and visible to this user? Creates missing ones where the options say so.
 * @throws KAFKA_REFUSED naming the topic
 */
export async function checkTopics(
  admin: Admin,
  topics: KafkaTopics,
  options: KafkaSinkOptions,
): Promise<void> {
  const names = [...new Set(Object.values(topics) as string[])];
  const missing = await missingTopics(admin, names);
  if (missing.length === 0) return;
  if (!options.createTopics) throw topicMissing(missing, options);
  const { partitions, replicationFactor } = options.createTopics;
  await admin
    .createTopics({
      waitForLeaders: true,
      topics: missing.map((topic) => ({
        topic,
        numPartitions: partitions,
        replicationFactor,
        configEntries:
          topic === topics['stream.status'] ? [{ name: 'cleanup.policy', value: 'compact' }] : [],
      })),
    })
    .catch(async (error: unknown) => {
      // Another instance may have been faster.
      const still = await missingTopics(admin, missing);
      if (still.length > 0) throw cannotCreate(still, options, error);
    });
}

async function missingTopics(admin: Admin, names: readonly string[]): Promise<readonly string[]> {
  const visible = new Set(await admin.listTopics());
  return names.filter((name) => !visible.has(name));
}

function topicMissing(missing: readonly string[], { brokers }: KafkaSinkOptions): ActionstreamError {
  return new ActionstreamError(
    'KAFKA_REFUSED',
    `Kafka at ${brokers.join(', ')} has no topic ${missing.join(', ')}, or this user may not see it; ` +
      'create it (kafka-topics --create), grant Describe, or set kafka.create_topics',
  );
}

function cannotCreate(
  missing: readonly string[],
  { brokers }: KafkaSinkOptions,
  cause: unknown,
): ActionstreamError {
  return new ActionstreamError(
    'KAFKA_REFUSED',
    `Kafka at ${brokers.join(', ')} did not create ${missing.join(', ')}: ${rootOf(cause).text}; ` +
      'create it by hand, or allow this user Create',
    { cause },
  );
}
