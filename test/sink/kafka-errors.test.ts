import kafkajs from 'kafkajs';
import { expect, test } from 'vitest';
import { isTopicRefused, toKafkaError } from '../../src/sink/kafka/errors.ts';

// A broker asks for no more replicas in sync than a topic has, so a cluster of one never answers this.
test('too few replicas in sync: the topic is named with the remedy, it waits, and the others go on', () => {
  for (const type of ['NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND']) {
    const answer = Object.assign(new Error('Messages are rejected'), { type, code: 19, retriable: true });
    const error = new kafkajs.KafkaJSProtocolError(answer);

    expect(isTopicRefused(error)).toBe(true);
    expect(toKafkaError(error, { brokers: ['kafka:9092'], topic: 'clips' })).toMatchObject({
      code: 'KAFKA_UNAVAILABLE',
      retryable: true,
      message:
        'Kafka at kafka:9092: clips has fewer in-sync replicas than its min.insync.replicas; ' +
        'start the missing brokers, or lower min.insync.replicas of the topic',
    });
  }
});
