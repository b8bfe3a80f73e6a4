import { createKafka } from '../kafka/client.ts';
import { toKafkaError } from '../kafka/errors.ts';
import type { KafkaConnection } from '../kafka/options.ts';

/** Offsets that retention has removed from each partition of a topic: all before the log start. */
export type LogStarts = ReadonlyMap<string, readonly number[]>;

/** @throws KAFKA_UNREACHABLE, KAFKA_REFUSED */
export async function logStartsOf(
  connection: KafkaConnection,
  topics: readonly string[],
): Promise<LogStarts> {
  const owned = createKafka(connection);
  const admin = owned.kafka.admin();
  try {
    await admin.connect();
    const starts = new Map<string, readonly number[]>();
    for (const topic of topics) {
      const lows: number[] = [];
      for (const { partition, low } of await admin.fetchTopicOffsets(topic)) lows[partition] = Number(low);
      starts.set(topic, lows);
    }
    return starts;
  } catch (error) {
    throw toKafkaError(error, connection);
  } finally {
    await admin.disconnect().catch(() => undefined);
    owned.destroy();
  }
}
