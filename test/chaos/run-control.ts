import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningCli } from '../support/cli.ts';
import type { descendantsOf } from '../support/processes.ts';
import { stillRunning } from '../support/processes.ts';
import { isClip, nextRecord } from '../support/runs.ts';
import type { Trial } from './report.ts';
import type { Servers, Site } from './site.ts';

/**
 * SIGTERM and SIGINT end the program within this time, in any state. The whole suite has the
 * machine to itself. Its part in `npm test` has not, and shows that the program ends by itself.
 */
export const EXIT_MS = process.env['CHAOS'] === 'full' ? 15_000 : 60_000;

export interface TrialContext {
  readonly servers: Servers;
  readonly random: () => number;
  /** Of kills. */
  readonly kills: number;
  /** How long a server stays frozen, ms. */
  readonly frozenMs: number;
  /** How long more cameras than can be watched are watched, ms. */
  readonly overloadMs: number;
  /** How many records go through the journal and both sinks. */
  readonly records: number;
}

export interface NamedTrial {
  readonly name: string;
  /** One line of the report, or several that were tried at the same time. */
  readonly run: (context: TrialContext) => Promise<Trial | readonly Trial[]>;
}

export async function shortRun(site: Site): Promise<void> {
  const run = site.start();
  await nextRecord(run, isClip, 6);
  await stop(run, 'SIGTERM');
}

/** A run that delivers what waits and ends by SIGTERM. */
export async function drain(site: Site): Promise<{ readonly code: number | null; readonly ms: number }> {
  const run = site.start();
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
  // A child that is left over may hold its standard error open: only the end of the program itself counts.
  if (run.child.exitCode === null && run.child.signalCode === null) await once(run.child, 'exit');
  const code = run.child.exitCode;
  clearTimeout(overdue);
  return { code, ms: Math.round(performance.now() - begun) };
}

/** Children notice that their parent is gone; those that have not after a minute are killed and returned. */
export async function untilGone(
  family: Awaited<ReturnType<typeof descendantsOf>>,
): ReturnType<typeof descendantsOf> {
  let left = await stillRunning(family);
  for (let n = 0; n < 600 && left.length > 0; n += 1) {
    await delay(100);
    left = await stillRunning(family);
  }
  for (const { pid } of left) process.kill(pid, 'SIGKILL');
  return left;
}
