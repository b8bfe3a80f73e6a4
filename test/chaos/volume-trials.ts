import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { PublishedRecord } from '../../src/core/records.ts';
import { openJournal } from '../../src/sink/journal/open-journal.ts';
import { createKafkaSink } from '../../src/sink/kafka/kafka-sink.ts';
import { createPostgresSink } from '../../src/sink/postgres/postgres-sink.ts';
import { runCli } from '../support/cli.ts';
import { uniqueDatabase, uniqueTopics } from '../support/names.ts';
import { actionEvent, clipStats } from '../support/records.ts';
import { kafkaSettings, writeConfig } from '../support/runs.ts';
import { kcatCount, psqlText } from '../support/strangers.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import type { Trial } from './report.ts';
import type { NamedTrial, TrialContext } from './run-control.ts';

const BATCH = 1000;
const REPORT_PEAK = new URL('../fixtures/child/report-peak.mjs', import.meta.url);
const never = new AbortController().signal;

export const VOLUME_TRIALS: readonly NamedTrial[] = [{ name: 'many records', run: deliverMany }];

/** What `events verify` may take, however many records the journal holds by default. */
const MOST_MIB = 200;

/**
 * Synthetic records, every tenth one an event that ends its episode; rates, and how much memory
 * `events verify` takes to compare them all.
 */
async function deliverMany({ servers, records: count }: TrialContext): Promise<Trial> {
  const { kafka, postgres } = servers;
  const directory = await temporaryDirectory();
  const dir = path.join(directory, 'journal');
  const topics = uniqueTopics();
  const { url } = await uniqueDatabase(postgres.url);
  const rates: string[] = [];
  await using journal = await openJournal({ dir, consumers: ['kafka', 'postgres'], maxBytes: 8 * 1024 ** 3 });
  await timed('journal', { count, rates }, async () => {
    for (let first = 0; first < count; first += BATCH) await journal.append(recordsFrom(first));
  });
  const toKafka = {
    brokers: kafka.brokers,
    instance: 'test',
    topics,
    createTopics: { partitions: 3, replicationFactor: 1 },
  };
  for (const sink of [createKafkaSink(toKafka), createPostgresSink({ url, autoMigrate: true })]) {
    await using owned = sink;
    await owned.open(never);
    await timed(owned.name, { count, rates }, async () => {
      for (let at = 0; at < count; at += BATCH) await owned.write(await journal.read(at, BATCH), never);
    });
    await journal.checkpoint(owned.name, count);
  }
  const config = await writeConfig(directory, {
    streams: [{ id: 'cam-0', url: 'video.mp4' }],
    journal: { dir },
    sinks: { kafka: kafkaSettings(kafka.brokers, topics), postgres: { url } },
  });
  const peakFile = path.join(directory, 'peaks');
  const verified = await runCli(['events', 'verify', config], {
    NODE_OPTIONS: `--max-old-space-size=96 --import ${REPORT_PEAK.href}`,
    PEAK_FILE: peakFile,
  });
  // A process that ran out of memory reports no peak.
  const peaks = existsSync(peakFile) ? readFileSync(peakFile, 'utf8') : '';
  const peaksMiB = peaks
    .trim()
    .split('\n')
    .map((kib) => Math.round(Number(kib) / 1024));
  const messages =
    (await kcatCount(kafka.brokers, topics['action.event'])) +
    (await kcatCount(kafka.brokers, topics['clip.stats']));
  const rows = await psqlText(
    url,
    'SELECT (SELECT count(*) FROM actionstream.action_events) + (SELECT count(*) FROM actionstream.clip_stats)',
  );
  return {
    promised: `${count} records reach both sinks, and verify compares them all in ${MOST_MIB} MiB`,
    done: `${count} synthetic records, one batch of ${BATCH} at a time`,
    counted: `${rates.join(', ')}; kcat counts ${messages} messages, psql ${rows.trim()} rows; verify exit ${verified.code ?? `${verified.signal}: ${verified.stderr.slice(0, 1500)}`}, peaks of its processes ${peaksMiB.join(' and ')} MiB`,
    ok:
      messages === count &&
      Number(rows) === count &&
      verified.code === 0 &&
      peaksMiB.length > 0 &&
      Math.max(...peaksMiB) <= MOST_MIB,
  };
}

async function timed(
  name: string,
  { count, rates }: { readonly count: number; readonly rates: string[] },
  work: () => Promise<void>,
): Promise<void> {
  const begun = performance.now();
  await work();
  rates.push(`${name} ${Math.round((1000 * count) / (performance.now() - begun))}/s`);
}

function recordsFrom(first: number): readonly PublishedRecord[] {
  return Array.from({ length: BATCH }, (_, n) => {
    const [at, stream_id] = [first + n, `cam-${(first + n) % 4}`];
    return at % 10 === 0
      ? actionEvent({ stream_id, episode: at, state: 'ended' })
      : clipStats({ stream_id, clip_seq: at });
  });
}
