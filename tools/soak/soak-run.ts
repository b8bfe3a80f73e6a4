import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { freePort } from '../local/free-port.ts';

/** The program under test. */
export interface SoakRun {
  readonly pid: number;
  readonly metricsUrl: string;
  readonly logFile: string;
  isAlive(): boolean;
  /** SIGTERM; resolves to its exit code. */
  stop(): Promise<number | null>;
  kill(): void;
  /** `events verify` on what its journal still holds. */
  verify(): Promise<{ readonly code: number | null; readonly text: string }>;
}

interface Sources {
  readonly cameras: readonly string[];
  readonly file: string;
  readonly postgresUrl: string;
  readonly brokers: readonly string[];
}

const MAIN = path.join(import.meta.dirname, '..', '..', 'dist', 'main.js');
const LOG = path.join(import.meta.dirname, '..', '..', '.cache', 'soak.log');

/**
 * Starts `actionstream run` as built, with a small network of random weights:
 * what is measured is everything around it.
 */
export async function startSoakRun(directory: string, sources: Sources): Promise<SoakRun> {
  const port = await freePort();
  const config = path.join(directory, 'soak.yaml');
  await writeFile(config, stringify(configOf(directory, port, sources)));
  const child = spawn(process.execPath, [MAIN, 'run', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  child.stderr.pipe(createWriteStream(LOG));
  const metricsUrl = `http://127.0.0.1:${port}/metrics`;
  const run: SoakRun = {
    pid: child.pid ?? 0,
    metricsUrl,
    logFile: LOG,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    stop: async () => {
      child.kill('SIGTERM');
      const [code] = await exited;
      return code;
    },
    kill: () => void child.kill('SIGKILL'),
    verify: () => verify(config),
  };
  while (!(await answers(metricsUrl))) {
    if (!run.isAlive()) throw new Error(`the run does not start; see ${LOG}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return run;
}

async function verify(config: string): Promise<{ readonly code: number | null; readonly text: string }> {
  const child = spawn(process.execPath, [MAIN, 'events', 'verify', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const text = await textOf(child.stdout);
  const [code] = await exited;
  return { code, text: text.trim().replaceAll('\n', '; ') };
}

function configOf(directory: string, port: number, { cameras, file, postgresUrl, brokers }: Sources): object {
  return {
    instance: 'soak',
    model: { network: 's3d-g', width: 0.25, frames: 16, size: 64, classes: 4 },
    sampler: { kind: 'ordered', width: 0.05 },
    engine: { processes: 1, clip_timeout: '5s', budget: { max_delta_scale: 1 } },
    defaults: {
      window: { fps: 15, stride: 8 },
      no_frame_timeout: '3s',
      reconnect: { first: '200ms', max: '2s' },
    },
    streams: [
      ...cameras.map((url, n) => ({ id: `camera-${n}`, url })),
      { id: 'file', url: file, realtime: true, start_time: new Date().toISOString() },
    ],
    // Every class is always on, and a new episode begins every three seconds.
    events: { on: 0.1, off: 0.05, min_duration: '0s', max_duration: '3s', update_interval: '1s' },
    journal: { dir: path.join(directory, 'journal'), max_size: '64MiB' },
    sinks: { kafka: { brokers, create_topics: { partitions: 3 } }, postgres: { url: postgresUrl } },
    metrics: { port },
  };
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
