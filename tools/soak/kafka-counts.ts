import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { KafkaTopics } from '../../src/sink/kafka/options.ts';

interface Message {
  readonly headers: readonly string[];
  readonly payload: string;
}

interface Content {
  readonly stream_id: string;
  readonly label: string;
  readonly state: string;
}

/**
 * What the topics hold, as `kcat` reads them: each counter of the program that
 * Kafka can answer for. Repeated messages count once.
 */
export async function kafkaCounts(
  brokers: readonly string[],
  topics: KafkaTopics,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  await eachRecord(brokers, topics['clip.stats'], ({ stream_id }) => {
    count(`actionstream_clips_total{stream_id="${stream_id}"}`);
  });
  await eachRecord(brokers, topics['action.event'], ({ label, state }) => {
    count(`actionstream_action_events_total{label="${label}",state="${state}"}`);
  });
  return counts;
}

async function eachRecord(
  brokers: readonly string[],
  topic: string,
  see: (content: Content) => void,
): Promise<void> {
  const args = ['-C', '-q', '-e', '-J', '-o', 'beginning', '-b', brokers.join(','), '-t', topic];
  const child = spawn('kcat', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const seen = new Set<string>();
  for await (const line of createInterface({ input: child.stdout })) {
    const { headers, payload } = JSON.parse(line) as Message;
    const id = headers[headers.indexOf('ce_id') + 1] ?? '';
    if (seen.has(id)) continue;
    seen.add(id);
    see(JSON.parse(payload) as Content);
  }
  const [code] = await exited;
  if (code !== 0) throw new Error(`kcat -t ${topic} ended with ${code ?? 'a signal'}`);
}
