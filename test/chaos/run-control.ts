import { setTimeout as delay } from 'node:timers/promises';
import type { RunningCli } from '../support/cli.ts';
import type { descendantsOf } from '../support/processes.ts';
import { stillRunning } from '../support/processes.ts';
import { isClip, nextRecord, startRun } from '../support/runs.ts';
import type { Trial } from './report.ts';
import type { Servers, Site } from './site.ts';

/** SIGTERM, SIGINT and SIGHUP end the program within this time, in any state. */
export const EXIT_MS = 15_000;

export interface TrialContext {
  readonly servers: Servers;
  readonly random: () => number;
  /** Of kills. */
  readonly kills: number;
  /** How long a server stays frozen, ms. */
  readonly frozenMs: number;
}

export interface NamedTrial {
  readonly name: string;
  readonly run: (context: TrialContext) => Promise<Trial>;
}

export async function shortRun(site: Site): Promise<void> {
  const run = startRun(['run', site.config, '--json']);
  await nextRecord(run, isClip, 6);
  await stop(run, 'SIGTERM');
}

/** A run that delivers what waits and ends by SIGTERM. */
export async function drain(site: Site): Promise<{ readonly code: number | null; readonly ms: number }> {
  const run = startRun(['run', site.config, '--json']);
  await nextRecord(run, isClip, 4);
  return stop(run, 'SIGTERM');
}

/** How the program ended after a signal; one that is still there after twice the promised time is killed. */
export async function stop(
  run: RunningCli,
  signal: NodeJS.Signals,
): Promise<{ readonly code: number | null; readonly ms: number }> {
  const begun = performance.now();
  run.child.kill(signal);
  const overdue = setTimeout(() => run.child.kill('SIGKILL'), 2 * EXIT_MS);
  const { code } = await run.done;
  clearTimeout(overdue);
  return { code, ms: Math.round(performance.now() - begun) };
}

/** Children notice within seconds that their parent is gone. */
export async function untilGone(
  family: Awaited<ReturnType<typeof descendantsOf>>,
): ReturnType<typeof descendantsOf> {
  let left = await stillRunning(family);
  for (let n = 0; n < 100 && left.length > 0; n += 1) {
    await delay(100);
    left = await stillRunning(family);
  }
  return left;
}
