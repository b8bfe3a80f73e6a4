import { setTimeout as delay } from 'node:timers/promises';
import type { RunningCli } from '../support/cli.ts';
import { descendantsOf } from '../support/processes.ts';
import { isClip, nextRecord, TINY } from '../support/runs.ts';
import { describeCounts } from './count.ts';
import type { Trial } from './report.ts';
import { EXIT_MS, stop, type NamedTrial, type TrialContext } from './run-control.ts';
import { createSite } from './site.ts';

/** Faults of the engine's process; that it dies once is among the process trials. */
export const ENGINE_TRIALS: readonly NamedTrial[] = [
  { name: 'an engine process stopped', run: stopEngine },
  { name: 'an engine process that dies again and again', run: killAgain },
];

const KILLS = 6;

async function stopEngine({ servers }: TrialContext): Promise<Trial> {
  const more = { engine: { ...TINY.engine, processes: 1, clip_timeout: '5s' } };
  const site = await createSite(servers, { more });
  const run = site.start();
  await nextRecord(run, isClip, 2);
  const [engine = 0] = await enginesOf(run);
  process.kill(engine, 'SIGSTOP');
  await run.said('the inference process was lost');
  await nextRecord(run, isClip, 6);
  const end = await stop(run, 'SIGTERM');
  const counts = await site.count();
  return {
    promised:
      'an engine process that no longer answers is replaced after `clip_timeout`, and the cameras go on',
    done: 'the engine process stopped with SIGSTOP, clip_timeout 5 s, then SIGTERM',
    counted: `clips went on; exit ${end.code} after ${end.ms} ms; ${describeCounts(counts)}`,
    ok: end.code === 0 && end.ms < EXIT_MS && counts.faults.length === 0,
  };
}

async function killAgain({ servers: { cameras, ...servers } }: TrialContext): Promise<Trial> {
  const streams = cameras.map(({ url }, n) => ({ id: `camera-${n}`, url }));
  const more = { engine: { ...TINY.engine, processes: 1 }, streams };
  const site = await createSite({ cameras, ...servers }, { more });
  const run = site.start();
  await nextRecord(run, isClip, 2);
  const killed = new Set<number>();
  while (killed.size < KILLS) {
    for (const pid of await enginesOf(run)) {
      if (killed.has(pid)) continue;
      process.kill(pid, 'SIGKILL');
      killed.add(pid);
    }
    await delay(20);
  }
  await nextRecord(run, isClip, 6);
  const end = await stop(run, 'SIGTERM');
  const { stderr } = await run.done;
  const counts = await site.count();
  const failed = stderr.split('"stream failed"').length - 1;
  return {
    promised: 'an engine that dies again and again costs clips and no camera, and comes back by itself',
    done: `the engine process killed ${KILLS} times, each as soon as it was there`,
    counted: `cameras given up ${failed}, clips went on; exit ${end.code} after ${end.ms} ms; ${describeCounts(counts)}`,
    ok: failed === 0 && end.code === 0 && end.ms < EXIT_MS && counts.faults.length === 0,
  };
}

async function enginesOf(run: RunningCli): Promise<readonly number[]> {
  const family = await descendantsOf(run.child.pid ?? 0);
  return family.filter(({ command }) => command.includes('worker/entry')).map(({ pid }) => pid);
}
