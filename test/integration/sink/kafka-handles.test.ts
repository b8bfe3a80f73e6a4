import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import path from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { KafkaTopics } from '../../../src/sink/kafka/options.ts';
import { createKafkaSink } from '../../../src/sink/kafka/kafka-sink.ts';
import { startLocalKafka, type LocalKafka } from '../../../tools/local/kafka.ts';
import { stored } from '../../contract/event-sink.contract.ts';
import { ROOT } from '../../support/cli.ts';
import { uniqueTopics, withKafkaAdmin } from '../../support/names.ts';
import { actionEvent } from '../../support/records.ts';

const CHILD = path.join(ROOT, 'test', 'fixtures', 'child', 'use-kafka.ts');
const never = new AbortController().signal;
let kafka: LocalKafka;
// A broker of our own: the shared one must not freeze under the other tests.
beforeAll(async () => {
  kafka = await startLocalKafka({ cacheDir: path.join(ROOT, '.cache') });
});
afterAll(() => kafka.stop());

interface Trial {
  readonly name: string;
  readonly use: 'write' | 'read';
  breakIt(topics: KafkaTopics): unknown;
  mend?(): void;
  readonly says?: RegExp;
}

const trials: readonly Trial[] = [
  { name: 'nothing breaks', use: 'write', breakIt: () => undefined, says: /accepted/ },
  {
    name: 'the broker freezes, and the write is interrupted',
    ...{
      use: 'write',
      breakIt: () => {
        kafka.freeze();
      },
      mend: () => {
        kafka.thaw();
      },
    },
    says: /ABORTED|interrupted|KAFKA_UNREACHABLE|Kafka at/,
  },
  {
    name: 'the broker refuses a record for its size',
    use: 'write',
    breakIt: (topics) => setMaxMessageBytes(topics['action.event'], 100),
    says: /accepted/,
  },
  {
    name: 'the topic is deleted',
    use: 'write',
    breakIt: (topics) =>
      withKafkaAdmin(kafka.brokers, (admin) => admin.deleteTopics({ topics: [topics['action.event']] })),
    says: /there is no topic|interrupted/,
  },
  { name: 'a reader is interrupted', use: 'read', breakIt: () => undefined },
  {
    name: 'the broker freezes, and a reader is interrupted',
    ...{
      use: 'read',
      breakIt: () => {
        kafka.freeze();
      },
      mend: () => {
        kafka.thaw();
      },
    },
  },
];

test.each(trials)('a process ends by itself once its client is closed: $name', async (trial) => {
  const topics = uniqueTopics();
  await using sink = createKafkaSink({
    ...{ brokers: kafka.brokers, instance: 'maker', topics },
    createTopics: { partitions: 1, replicationFactor: 1 },
  });
  await sink.open(never);
  await sink.write(stored([actionEvent()]), never);
  const args = ['--import', 'tsx', CHILD, trial.use, kafka.brokers.join(','), JSON.stringify(topics)];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  onTestFinished(() => trial.mend?.());
  const exit = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line !== 'ready') continue;
    await trial.breakIt(topics);
    child.stdin.write('go on\n');
  }

  expect(await exit).toEqual([0, null]);
  expect(lines.at(-1)).toBe('closed');
  if (trial.says) expect(lines.at(-2)).toMatch(trial.says);
});

async function setMaxMessageBytes(topic: string, bytes: number): Promise<void> {
  await withKafkaAdmin(kafka.brokers, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: [{ name: 'max.message.bytes', value: String(bytes) }],
        },
      ],
    }),
  );
}
