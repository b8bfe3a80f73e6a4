import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { positiveInteger, positiveNumber } from '../../src/cli/options.ts';
import { DEFAULT_TOPICS } from '../../src/sink/kafka/options.ts';
import { startLocalKafka } from '../local/kafka.ts';
import { startLocalPostgres } from '../local/postgres.ts';
import { startRtspServer } from '../local/rtsp-server.ts';
import { compareCounters } from './compare-counters.ts';
import { injectFaults } from './faults.ts';
import { quietMetrics } from './quiet.ts';
import { judge, printReport } from './report.ts';
import { sampleOf, scrape, type Sample } from './sample.ts';
import { startSoakRun, type SoakRun } from './soak-run.ts';
import { writeVideos } from './videos.ts';

// `npm run test:soak`: cameras with faults and files in real time through one
// run for an hour; then its memory, descriptors and children must not have
// grown, and its counters must equal Postgres and Kafka. The exit code tells.

const { minutes, seed } = new Command('test:soak')
  .option('--minutes <n>', 'length of the run', positiveNumber, 60)
  .option('--seed <n>', 'of the faults', positiveInteger, 1)
  .parse()
  .opts<{ minutes: number; seed: number }>();

/** Between samples: some 60 in a short run, one every 10 s in a long one. */
const SAMPLE_MS = Math.min(10_000, (minutes * 60_000) / 60);

const CACHE = path.join(import.meta.dirname, '..', '..', '.cache');
const directory = mkdtempSync(path.join(tmpdir(), 'actionstream-soak-'));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
try {
  process.exitCode = (await soak()) ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function soak(): Promise<boolean> {
  const { camera: cameraVideo, file } = await writeVideos(directory, minutes);
  const [kafka, postgres] = await Promise.all([startLocalKafka({ cacheDir: CACHE }), startLocalPostgres()]);
  const cameras = [
    await startRtspServer({ file: cameraVideo }),
    await startRtspServer({ file: cameraVideo }),
  ];
  const run = await startSoakRun(directory, {
    cameras: cameras.map(({ url }) => url),
    file,
    postgresUrl: postgres.url,
    brokers: kafka.brokers,
  });
  try {
    say(`soak of ${minutes} min with seed ${seed}: 2 cameras, 1 file, Kafka, Postgres; log ${run.logFile}`);
    const ended = new AbortController();
    const faults = injectFaults({ run, cameras, kafka, postgres, seed, say }, ended.signal);
    // A fault that cannot be healed ends the soak at once.
    const samples = await Promise.race([sampleFor(minutes * 60_000, run), faults.then(() => [])]);
    ended.abort();
    const counts = await faults;
    // Nothing comes any more: what the program counts and what the database holds can be compared.
    await Promise.all(cameras.map((camera) => camera.stop()));
    const metrics = await quietMetrics(run.metricsUrl);
    const rest = await sampleOf(run.pid, metrics);
    // Before the stop, which ends the episodes that are open.
    const equal = await compareCounters(metrics, {
      postgresUrl: postgres.url,
      brokers: kafka.brokers,
      topics: DEFAULT_TOPICS,
    });
    const code = await run.stop();
    const verified = await run.verify();
    const findings = [
      ...judge(samples, rest),
      ...equal,
      { what: 'exit code after SIGTERM', wanted: '0', found: String(code), good: code === 0 },
      {
        what: 'exit code of events verify',
        wanted: '0',
        found: `${verified.code}: ${verified.text}`,
        good: verified.code === 0,
      },
    ];
    printReport({ samples, counts, findings }, say);
    return findings.every(({ good }) => good);
  } finally {
    run.kill();
    await Promise.all(cameras.map((camera) => camera.stop().catch(() => undefined)));
    await Promise.all([kafka.stop(), postgres.stop()]);
  }
}

async function sampleFor(ms: number, run: SoakRun): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (const end = performance.now() + ms; performance.now() < end;) {
    await delay(SAMPLE_MS);
    if (!run.isAlive()) throw new Error(`the run ended by itself; see ${run.logFile}`);
    samples.push(await sampleOf(run.pid, await scrape(run.metricsUrl)));
  }
  return samples;
}
