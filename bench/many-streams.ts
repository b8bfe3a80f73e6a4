import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

/*
 * Many cameras on one machine: N files replayed at real time through the built program, and who spends the processors' time.
 *
 *   npx tsx bench/many-streams.ts --streams 4,8,16,24 --seconds 40 [--model s3d-g-atfr-preview] [--engine onnx] VIDEO…
 *
 * Latency: from the moment the last frame of a clip was received to the moment its scores were ready. Processor time
 * and memory are those of the last `--seconds`, after a warm-up of five; memory is the proportional set size.
 */
const { values, positionals: videos } = parseArgs({
  allowPositionals: true,
  options: {
    streams: { type: 'string', default: '4,8,16,24' },
    seconds: { type: 'string', default: '40' },
    model: { type: 'string', default: 's3d-g-atfr-preview' },
    engine: { type: 'string', default: 'onnx' },
    /** More configuration, as JSON, laid over ours. */
    config: { type: 'string', default: '{}' },
    main: { type: 'string', default: path.join(import.meta.dirname, '..', 'dist', 'main.js') },
    prof: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
if (videos.length === 0) throw new Error('name at least one video of a fixed camera');

const WARM_UP_S = 5;
const PARTS = ['main', 'engine', 'ffmpeg', 'guard'] as const;
type Part = (typeof PARTS)[number];

interface Usage {
  /** Processor seconds since the part's processes began. */
  readonly cpuS: number;
  readonly bytes: number;
}

interface ClipRecord {
  readonly type: string;
  readonly payload: {
    readonly stream_id: string;
    readonly compute: {
      readonly kept_steps: number;
      readonly delta?: number;
      readonly latency_ms: { readonly e2e: number };
    };
  };
}

for (const count of values.streams.split(',').map(Number)) {
  const row = await replay(count, Number(values.seconds));
  if (values.json) console.log(JSON.stringify(row));
  else print(row);
}

async function replay(streams: number, seconds: number) {
  const folder = mkdtempSync(path.join(tmpdir(), 'many-streams-'));
  const records = path.join(folder, 'records.ndjson');
  const file = path.join(folder, 'run.json');
  const settings = {
    model: { path: values.model },
    engine: { kind: values.engine },
    defaults: { realtime: true },
    streams: Array.from({ length: streams }, (_, i) => ({
      id: `camera-${i}`,
      url: path.resolve(videos[i % videos.length]!),
    })),
    journal: { dir: path.join(folder, 'journal') },
    sinks: { ndjson: { path: records } },
    ...(JSON.parse(values.config) as object),
  };
  writeFileSync(file, JSON.stringify(settings));
  const profiling = values.prof === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.prof}`];
  const child = spawn(process.execPath, [...profiling, values.main, 'run', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = new Promise((resolve) => child.once('close', resolve));
  await Promise.race([until(() => log.includes('stream up'), 60_000), ended]);
  await sleep(WARM_UP_S * 1000);
  const before = usageBelow(child.pid!);
  const from = readRecords(records).length;
  await sleep(seconds * 1000);
  const after = usageBelow(child.pid!);
  const clips = readRecords(records)
    .slice(from)
    .filter(({ type }) => type === 'clip.stats')
    .map(({ payload }) => payload);
  child.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true });

  const e2e = clips.map(({ compute }) => compute.latency_ms.e2e).sort((a, b) => a - b);
  const perStream = new Map<string, number>();
  for (const { stream_id: id } of clips) perStream.set(id, (perStream.get(id) ?? 0) + 1);
  const share = (part: Part): number => (after[part].cpuS - before[part].cpuS) / seconds;
  return {
    streams,
    seconds,
    cores: cpus().length,
    clips: clips.length,
    fewestClipsOfAStream: Math.min(...perStream.values()),
    latencyMs: { p50: at(e2e, 0.5), p95: at(e2e, 0.95), max: at(e2e, 1) },
    dropped: sumOf(log, /"clips_dropped":(\d+)/g),
    failed: sumOf(log, /"clips_failed":(\d+)/g),
    keptSteps: mean(clips.map(({ compute }) => compute.kept_steps)),
    delta: {
      mean: mean(clips.flatMap(({ compute }) => compute.delta ?? [])),
      max: Math.max(0, ...clips.map(({ compute }) => compute.delta ?? 0)),
    },
    coreShare: Object.fromEntries(PARTS.map((part) => [part, share(part)])) as Record<Part, number>,
    mebibytes: Object.fromEntries(PARTS.map((part) => [part, after[part].bytes / 2 ** 20])) as Record<
      Part,
      number
    >,
    ...(clips.length === 0 && { log: log.slice(-2000) }),
  };
}

function print(row: Awaited<ReturnType<typeof replay>>): void {
  const { latencyMs, coreShare, mebibytes } = row;
  console.log(
    `${row.streams} streams: ${row.clips} clips in ${row.seconds} s (fewest ${row.fewestClipsOfAStream} a stream), ` +
      `${row.dropped} dropped, ${row.failed} failed; latency p50 ${latencyMs.p50.toFixed(0)} p95 ${latencyMs.p95.toFixed(0)} ` +
      `max ${latencyMs.max.toFixed(0)} ms; kept ${row.keptSteps.toFixed(2)} steps; δ mean ${row.delta.mean.toFixed(3)} max ${row.delta.max.toFixed(3)}`,
  );
  for (const part of PARTS) {
    console.log(
      `    ${part.padEnd(7)} ${(100 * coreShare[part]).toFixed(1).padStart(6)} % of a core` +
        ` (${((100 * coreShare[part]) / row.streams).toFixed(2)} a stream), ${mebibytes[part].toFixed(0)} MiB` +
        ` (${(mebibytes[part] / row.streams).toFixed(1)} a stream)`,
    );
  }
  if (row.log !== undefined) console.log(row.log);
}

/** Processor time and memory of a process and all below it, by part. */
function usageBelow(root: number): Record<Part, Usage> {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? readProc(pid, 'stat') : '';
    if (stat !== '') parents.set(pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const isBelow = (pid: number): boolean =>
    pid === root || (parents.has(pid) && parents.get(pid) !== 0 && isBelow(parents.get(pid)!));
  const usage = Object.fromEntries(PARTS.map((part) => [part, { cpuS: 0, bytes: 0 }])) as Record<
    Part,
    { cpuS: number; bytes: number }
  >;
  for (const pid of parents.keys()) {
    if (!isBelow(pid)) continue;
    const command = readProc(pid, 'cmdline');
    const part =
      pid === root
        ? 'main'
        : /entry\.js/.test(command)
          ? 'engine'
          : /ffmpeg\0-/.test(command.split('\0-c\0')[0]!)
            ? 'ffmpeg'
            : 'guard';
    const stat = readProc(pid, 'stat');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    usage[part].cpuS += (Number(fields[11]) + Number(fields[12])) / 100;
    const memory = readProc(pid, 'smaps_rollup');
    usage[part].bytes += 1024 * Number(/^Pss:\s+(\d+)/m.exec(memory)?.[1] ?? 0);
  }
  return usage;
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

function readRecords(file: string): readonly ClipRecord[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as ClipRecord);
  } catch {
    return [];
  }
}

function sumOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((sum, [, number]) => sum + Number(number), 0);
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

function mean(numbers: readonly number[]): number {
  return numbers.length === 0 ? 0 : numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(condition: () => boolean, withinMs: number): Promise<void> {
  for (const end = Date.now() + withinMs; !condition() && Date.now() < end;) await sleep(50);
}
