import kafkajs, { type Message, type Producer } from 'kafkajs';
import { createKafka, type OwnedKafka } from './client.ts';
import { toKafkaError } from './errors.ts';
import type { KafkaConnection } from './options.ts';

interface Connected {
  readonly owned: OwnedKafka;
  readonly producer: Producer;
}

/**
 * Sends to one topic at a time, one request in flight. After any failure the producer is thrown
 * away: its sequence numbers may no longer match the broker's, and a later batch under a number
 * that the broker has seen would be dropped as a duplicate although it was acknowledged.
 */
export class TopicProducer {
  readonly #connection: KafkaConnection;
  /** `topic key` → partition, as last computed. */
  readonly #partitions = new Map<string, number>();
  #connected: Connected | undefined;

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
  }

  /**
   * Resolves when all in-sync replicas have them.
   * @throws KAFKA_UNREACHABLE, KAFKA_REFUSED, KAFKA_UNAVAILABLE, ABORTED
   */
  async send(
    topic: string,
    messages: Message[],
    { signal, retries = 4 }: { readonly signal: AbortSignal; readonly retries?: number },
  ): Promise<void> {
    const { owned, producer } = (this.#connected ??= this.#create(retries));
    try {
      await owned.use(async () => {
        await producer.connect();
        await producer.send({ topic, acks: -1, compression: kafkajs.CompressionTypes.GZIP, messages });
      }, signal);
    } catch (error) {
      this.destroy();
      throw toKafkaError(error, { ...this.#connection, topic, network: owned.network });
    }
  }

  /** Where the last message of this key went; the same number for keys that were never sent. */
  partitionOf(topic: string, key: string): number {
    return this.#partitions.get(`${topic} ${key}`) ?? -1;
  }

  destroy(): void {
    this.#connected?.owned.destroy();
    this.#connected = undefined;
  }

  #create(retries: number): Connected {
    const owned = createKafka(this.#connection);
    const producer = owned.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: () => {
        const choose = kafkajs.Partitioners.DefaultPartitioner();
        return (args) => {
          const partition = choose(args);
          this.#partitions.set(`${args.topic} ${String(args.message.key)}`, partition);
          return partition;
        };
      },
      // The same request again, under the same sequence numbers: the broker recognises it.
      retry: { retries, initialRetryTime: 200, maxRetryTime: 2000 },
    });
    return { owned, producer };
  }
}
