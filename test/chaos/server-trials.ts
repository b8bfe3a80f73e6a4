import { setTimeout as delay } from 'node:timers/promises';
import { isClip, nextRecord } from '../support/runs.ts';
import type { Trial } from './report.ts';
import { createSite } from './site.ts';
import { describeCounts } from './count.ts';
import { drain, EXIT_MS, stop, type NamedTrial, type TrialContext } from './run-control.ts';

/** Faults of Kafka and Postgres. */
export const SERVER_TRIALS: readonly NamedTrial[] = [
  { name: 'Postgres frozen, then SIGTERM', run: (context) => stopWhileFrozen(context, 'postgres') },
  { name: 'Kafka frozen, then SIGTERM', run: (context) => stopWhileFrozen(context, 'kafka') },
  { name: 'Postgres frozen and thawed', run: (context) => freezeAndThaw(context, 'postgres') },
  { name: 'Kafka frozen and thawed', run: (context) => freezeAndThaw(context, 'kafka') },
  { name: 'Postgres killed and started', run: (context) => killServer(context, 'postgres') },
  { name: 'Kafka killed and started', run: (context) => killServer(context, 'kafka') },
];

async function stopWhileFrozen({ servers }: TrialContext, name: 'kafka' | 'postgres'): Promise<Trial> {
  const site = await createSite(servers);
  const run = site.start();
  await nextRecord(run, isClip, 2);
  servers[name].freeze();
  const end = await nextRecord(run, isClip, 3)
    .then(() => stop(run, 'SIGTERM'))
    .finally(() => {
      servers[name].thaw();
    });
  const after = await drain(site);
  const counts = await site.count();
  return {
    promised: `with ${name} frozen, SIGTERM ends the program within 15 s, and the next run delivers the rest`,
    done: `${name} stopped with SIGSTOP, SIGTERM, SIGCONT, another run`,
    counted: `exit ${end.code} after ${end.ms} ms, then ${after.code}; ${describeCounts(counts)}`,
    ok: end.ms < EXIT_MS && end.code !== null && after.code === 0 && counts.faults.length === 0,
  };
}

async function freezeAndThaw(
  { servers, frozenMs }: TrialContext,
  name: 'kafka' | 'postgres',
): Promise<Trial> {
  const site = await createSite(servers);
  const run = site.start();
  await nextRecord(run, isClip, 2);
  servers[name].freeze();
  await delay(frozenMs);
  servers[name].thaw();
  await nextRecord(run, isClip, 3);
  const end = await stop(run, 'SIGTERM');
  const after = end.code === 0 ? end : await drain(site);
  const counts = await site.count();
  return {
    promised: `${name} that does not answer for a while delays and loses nothing; SIGTERM afterwards ends within 15 s`,
    done: `${name} frozen for ${frozenMs} ms during a run, then SIGTERM`,
    counted: `exit ${end.code} after ${end.ms} ms; ${describeCounts(counts)}`,
    ok: end.ms < EXIT_MS && end.code !== null && after.code === 0 && counts.faults.length === 0,
  };
}

async function killServer({ servers }: TrialContext, name: 'kafka' | 'postgres'): Promise<Trial> {
  const site = await createSite(servers);
  const run = site.start();
  await nextRecord(run, isClip, 2);
  await servers[name].kill();
  await nextRecord(run, isClip, 3);
  await servers[name].restart();
  await nextRecord(run, isClip, 3);
  const end = await stop(run, 'SIGTERM');
  const after = end.code === 0 ? end : await drain(site);
  const counts = await site.count();
  return {
    promised: `${name} killed and started again: nothing is lost, and the other sink goes on`,
    done: `${name} killed with SIGKILL during a run and started again, then SIGTERM`,
    counted: `exit ${end.code} after ${end.ms} ms, then ${after.code}; ${describeCounts(counts)}`,
    ok: end.ms < EXIT_MS && end.code !== null && after.code === 0 && counts.faults.length === 0,
  };
}
