import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execPath } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ActionstreamError } from '../../core/errors.ts';
import type { ClipStats, PublishedRecord } from '../../core/records.ts';
import { busySeconds } from './foreign-load.ts';
import { usageBelow, type Usage } from './processes.ts';
import { summariseClips } from './summarise-clips.ts';
import type { StreamRun } from './types.ts';

export interface Replay {
  /** dist/main.js */
  readonly mainPath: string;
  /** Path of a model, or the name of a shipped one. */
  readonly model: string;
  /** One a stream. */
  readonly videos: readonly string[];
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** More configuration, laid over ours. */
  readonly settings?: object;
  readonly signal: AbortSignal;
}

const READY_MS = 90_000;

/**
 * Videos replayed at the pace at which they were filmed, through `actionstream
 * run` as a process of its own: decoders, engine, journal and all. Measures
 * `seconds` after all streams are up and `warmupSeconds` have passed.
 */
export async function replayOurs({
  mainPath,
  model,
  videos,
  seconds,
  warmupSeconds,
  settings,
  signal,
}: Replay): Promise<StreamRun> {
  const folder = await mkdtemp(path.join(tmpdir(), 'actionstream-bench-'));
  const records = path.join(folder, 'records.ndjson');
  const config = {
    model: { path: model },
    defaults: { realtime: true },
    streams: videos.map((video, i) => ({ id: `camera-${i}`, url: path.resolve(video) })),
    journal: { dir: path.join(folder, 'journal') },
    sinks: { ndjson: { path: records } },
    ...settings,
  };
  await writeFile(path.join(folder, 'run.json'), JSON.stringify(config));
  const child = spawn(execPath, [mainPath, 'run', path.join(folder, 'run.json')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'close');
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  try {
    const up = (): boolean => (log.match(/"msg":"stream up/g) ?? []).length >= videos.length;
    await waitUntil(
      up,
      signal,
      () => child.exitCode === null,
      () => log,
    );
    await sleep(1000 * warmupSeconds, undefined, { signal });
    const busyBefore = busySeconds();
    const before = usageBelow(child.pid ?? 0, partOf);
    const from = (await readClips(records)).length;
    await sleep(1000 * seconds, undefined, { signal });
    const after = usageBelow(child.pid ?? 0, partOf);
    const busyCores = (busySeconds() - busyBefore) / seconds;
    const clips = (await readClips(records)).slice(from);
    child.kill('SIGTERM');
    await ended;
    const usage = totals(before, after, seconds);
    return {
      streams: videos.length,
      seconds,
      ...summariseClips(clips, log),
      ...usage,
      othersCores: Math.max(0, busyCores - usage.cores),
    };
  } finally {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

/** Cores and memory over all parts, and by part. */
export function totals(
  before: ReadonlyMap<string, Usage>,
  after: ReadonlyMap<string, Usage>,
  seconds: number,
): Pick<StreamRun, 'cores' | 'mebibytes' | 'byPart'> {
  const parts = [...after].map(([part, { cpuS, bytes }]) => {
    const cores = (cpuS - (before.get(part)?.cpuS ?? 0)) / seconds;
    return [part, { cores, mebibytes: bytes / 2 ** 20 }] as const;
  });
  return {
    cores: parts.reduce((sum, [, { cores }]) => sum + cores, 0),
    mebibytes: parts.reduce((sum, [, { mebibytes }]) => sum + mebibytes, 0),
    byPart: Object.fromEntries(parts),
  };
}

function partOf(command: string, isRoot: boolean): string {
  if (isRoot) return 'main';
  if (command.includes('entry.js')) return 'engine';
  return command.split('\0-c\0', 1)[0]?.includes('ffmpeg\0-') ? 'ffmpeg' : 'guard';
}

async function readClips(file: string): Promise<readonly ClipStats[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text.split('\n').slice(0, -1);
  const rows = lines.map((line) => JSON.parse(line) as PublishedRecord);
  return rows.flatMap((row) => (row.type === 'clip.stats' ? [row.payload] : []));
}

async function waitUntil(
  condition: () => boolean,
  signal: AbortSignal,
  alive: () => boolean,
  log: () => string,
): Promise<void> {
  for (const end = Date.now() + READY_MS; !condition();) {
    if (!alive() || Date.now() > end) {
      throw new ActionstreamError('ENGINE_FAILED', `the replay did not start: ${lastProblem(log())}`);
    }
    await sleep(50, undefined, { signal });
  }
}

/** What the run says last of what went wrong, without the form of a log line. */
function lastProblem(log: string): string {
  const lines = log.trim().split('\n').reverse();
  const reported = lines.map(problemOf).find((problem) => problem !== undefined);
  return reported ?? `it says ${JSON.stringify(lines[0] ?? '')}`;
}

function problemOf(line: string): string | undefined {
  if (line.startsWith('error ')) return line.slice('error '.length);
  try {
    const { err, cause } = JSON.parse(line) as { err?: { message?: string }; cause?: string };
    return err?.message ?? cause;
  } catch {
    return undefined;
  }
}
