import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { startRtspServer } from '../../tools/local/rtsp-server.ts';
import { ROOT, runCli } from '../support/cli.ts';
import {
  apiOf,
  clipsIn,
  ownersIn,
  SESSION_MS,
  startFleet,
  type Clip,
  type FleetWorkerRun,
} from '../support/fleet.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { endRuns, terminate } from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';
import { blindTimes, brokenSequences, compareEpisodes, cpuSecondsOf, watchedTwice } from './measure.ts';

// `npm run test:fleet`: 24 RTSP streams on four workers, with the null engine: what the fleet does, not the
// network. Times are those of the clips, as Postgres holds them.

const STREAMS = Array.from({ length: 24 }, (_, n) => `cam-${String(n).padStart(2, '0')}`);
const NAMES = ['one', 'two', 'three', 'four'];
/** Of the promises. */
const BLIND_MS = 10_000;
const WINDOW_MS = 20_000;

demandNoLeftovers();
afterEach(endRuns);

test('24 streams on four workers', async () => {
  const camera = await startRtspServer({ file: await busyVideo(await temporaryDirectory()) });
  onTestFinished(() => camera.stop());
  const fleet = await startFleet();
  const clips = (): Promise<readonly Clip[]> => clipsIn(fleet.databaseUrl);
  const rows: Row[] = [];
  const workers = new Map<string, FleetWorkerRun>();
  const start = async (name: string): Promise<void> => {
    const worker = await fleet.worker(name);
    workers.set(name, worker);
    await worker.run.said('the streams of the fleet are known');
  };
  /** Every one of these streams has a new clip, and none of a worker that is not there. */
  const allWatched = (streams: readonly string[], names: readonly string[], atLeast = 1): Promise<void> => {
    const sinceMs = Date.now();
    return expect
      .poll(
        async () => {
          const fresh = (await clips()).filter(({ startMs }) => startMs > sinceMs);
          const owners = ownersIn(fresh);
          const counts = new Map(
            names.map((name) => [name, [...owners.values()].filter((one) => one === name).length]),
          );
          return (
            streams.every((id) => names.includes(owners.get(id) ?? '')) &&
            [...counts.values()].every((count) => count >= atLeast)
          );
        },
        { timeout: 120_000, interval: 500 },
      )
      .toBe(true);
  };
  const add = async (url: string, ids: readonly string[]): Promise<void> => {
    for (const id of ids) await addStream(url, id, camera.url);
  };
  /** Processor time a stream and second, over WINDOW_MS. */
  const cost = async (streams: number): Promise<number> => {
    const total = async (): Promise<number> => {
      const seconds = [...workers.values()].map(({ run }) => cpuSecondsOf(run.child.pid ?? 0));
      return (await Promise.all(seconds)).reduce((sum, one) => sum + one, 0);
    };
    const before = await total();
    await delay(WINDOW_MS);
    return ((await total()) - before) / (streams * (WINDOW_MS / 1000));
  };

  // 1 → 4 workers, six streams each.
  await start('one');
  const url = await apiOf(workers.get('one')!);
  await add(url, STREAMS.slice(0, 6));
  await allWatched(STREAMS.slice(0, 6), ['one']);
  const alone = await cost(6);
  await add(url, STREAMS.slice(6));
  for (const name of NAMES.slice(1)) await start(name);
  await allWatched(STREAMS, NAMES, 5);
  const together = await cost(24);
  rows.push({
    promised: '1 → 4 workers: cost of a stream flat',
    counted: `${ms(alone)} of processor time a stream and second with 1 worker and 6 streams, ${ms(together)} with 4 and 24`,
    ok: together < 1.25 * alone,
  });

  // kill -9.
  await allWatched(STREAMS, NAMES, 5);
  const before = ownersIn(await clips());
  const victim = workers.get('two')!;
  const killedMs = Date.now();
  victim.run.child.kill('SIGKILL');
  await victim.run.done;
  const rest = NAMES.filter((name) => name !== 'two');
  await allWatched(STREAMS, rest, 6);
  await delay(WINDOW_MS);
  const afterKill = await clips();
  const moved = STREAMS.filter((id) => before.get(id) === 'two');
  const others = STREAMS.filter((id) => before.get(id) !== 'two');
  const back = moved.map(
    (id) =>
      (afterKill.find(
        ({ stream, instance, startMs }) => stream === id && instance !== 'two' && startMs > killedMs,
      )?.startMs ?? Infinity) - killedMs,
  );
  const broken = brokenSequences(
    afterKill.filter(({ stream }) => others.includes(stream)),
    killedMs - 10_000,
    Date.now(),
  );
  rows.push({
    promised: `kill -9 of one: its streams run elsewhere within session timeout + 10 s (${(SESSION_MS + 10_000) / 1000} s)`,
    counted: `${moved.length} streams; watched again after ${ms(Math.min(...back) / 1000)} to ${ms(Math.max(...back) / 1000)}`,
    ok: moved.length > 0 && Math.max(...back) <= SESSION_MS + 10_000,
  });
  rows.push({
    promised: 'the clip sequence of the other streams is unbroken',
    counted: `${others.length} streams, ${broken.length} broken ${broken.join(' ')}`,
    ok: broken.length === 0,
  });
  const delivered = await runCli(['journal', 'deliver', victim.journal, victim.config]);
  expect(delivered.code, delivered.stderr).toBe(0);
  await start('two');
  await allWatched(STREAMS, NAMES, 5);

  // Rolling restart.
  const restartMs = Date.now();
  for (const name of NAMES) {
    const { code, stderr } = await terminate(workers.get(name)!.run);
    expect(code, stderr).toBe(0);
    await start(name);
    await allWatched(STREAMS, NAMES, 5);
  }
  await allWatched(STREAMS, NAMES, 5);
  const blind = [...blindTimes(await clips(), restartMs, Date.now()).values()].sort((a, b) => a - b);
  rows.push({
    promised: 'rolling restart of all: no stream is blind for more than 10 s at a time',
    counted: `${blind.length} streams; longest time between two clips: median ${ms(blind[12]! / 1000)}, largest ${ms(blind.at(-1)! / 1000)}`,
    ok: blind.length === STREAMS.length && blind.at(-1)! <= BLIND_MS,
  });

  // Everything ends, and is counted.
  for (const { run } of workers.values()) expect((await terminate(run)).code).toBe(0);
  const { episodes, lost, wrong, open } = await compareEpisodes(
    [...workers.values()].map(({ journal }) => journal),
    fleet.databaseUrl,
  );
  const twice = watchedTwice(await clips());
  rows.push({
    promised: 'no event is lost or counted twice',
    counted: `${episodes} episodes: ${lost} lost, ${wrong} not their newest event, ${open} open; ${twice} clips of time that two workers watched`,
    ok: episodes > 0 && lost + wrong + open + twice === 0,
  });
  print(rows);
  expect(rows.filter(({ ok }) => !ok)).toEqual([]);
});

interface Row {
  readonly promised: string;
  readonly counted: string;
  readonly ok: boolean;
}

function print(rows: readonly Row[]): void {
  const lines = rows.map(
    ({ promised, counted, ok }) => `| ${ok ? 'kept' : '**OPEN**'} | ${promised} | ${counted} |`,
  );
  const text = ['| state | promised | counted |', '| --- | --- | --- |', ...lines, ''].join('\n');
  const directory = path.join(ROOT, '.cache', 'fleet');
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'report.md'), text);
  process.stdout.write(`\n${text}\n`);
}

function ms(seconds: number): string {
  return seconds < 1 ? `${Math.round(1000 * seconds)} ms` : `${seconds.toFixed(1)} s`;
}

async function addStream(url: string, id: string, source: string): Promise<void> {
  const response = await fetch(`${url}/api/v1/streams`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ id, url: source }),
  });
  expect(response.status, await response.text()).toBe(201);
}
