import { setTimeout as delay } from 'node:timers/promises';
import { descendantsOf } from '../support/processes.ts';
import { isClip, isStatus, nextRecord } from '../support/runs.ts';
import type { Trial } from './report.ts';
import { createSite } from './site.ts';
import { describeCounts } from './count.ts';
import { drain, EXIT_MS, stop, untilGone, type NamedTrial, type TrialContext } from './run-control.ts';

/** Faults of the program's own processes and of its cameras. */
export const PROCESS_TRIALS: readonly NamedTrial[] = [
  { name: 'kill -9 at random moments', run: killAtRandom },
  ...(['SIGTERM', 'SIGINT'] as const).map((signal) => ({
    name: `${signal} while all is well`,
    run: (context: TrialContext) => stopWhileWell(context, signal),
  })),
  { name: 'a second SIGTERM', run: stopTwice },
  { name: 'an engine child killed', run: killEngine },
  { name: 'a camera stalled', run: stallCamera },
];

/** Sites that are killed at the same time; each has its own journal, topics and database. */
const KILLED_SITES = 4;

async function killAtRandom(context: TrialContext): Promise<readonly Trial[]> {
  const sites = context.kills < 10 * KILLED_SITES ? 1 : KILLED_SITES;
  const kills = Math.ceil(context.kills / sites);
  return Promise.all(Array.from({ length: sites }, () => killSite({ ...context, kills })));
}

async function killSite({ servers, random, kills }: TrialContext): Promise<Trial> {
  const site = await createSite(servers);
  let children = 0;
  for (let n = 0; n < kills; n += 1) {
    const run = site.start();
    const pid = run.child.pid ?? 0;
    // Half of the kills at any moment from the first instruction on, half while records flow.
    if (n % 2 === 1) await nextRecord(run, isClip);
    await delay(random() * 2500);
    const family = await descendantsOf(pid);
    run.child.kill('SIGKILL');
    await run.done;
    children += (await untilGone(family)).length;
  }
  const end = await drain(site);
  const counts = await site.count();
  const verified = await site.verify();
  return {
    promised:
      'a record that the journal accepted reaches Kafka and Postgres, however often the program dies; no child outlives it',
    done: `${kills} kills with SIGKILL at random moments, two cameras and a file, then a run that ends by SIGTERM`,
    counted: `${describeCounts(counts)}; children left ${children}; last exit ${end.code} after ${end.ms} ms; verify exit ${verified.code}`,
    ok: counts.faults.length === 0 && children === 0 && end.code === 0 && verified.code === 0,
  };
}

async function stopWhileWell({ servers }: TrialContext, signal: NodeJS.Signals): Promise<Trial> {
  const site = await createSite(servers);
  const run = site.start();
  await nextRecord(run, isClip, 3);
  const end = await stop(run, signal);
  const counts = await site.count();
  return {
    promised: `${signal}: sources stop, episodes end, sinks get what is journalled, exit 0 within 15 s`,
    done: `${signal} after some clips`,
    counted: `exit ${end.code} after ${end.ms} ms; ${describeCounts(counts)}`,
    ok: end.code === 0 && end.ms < EXIT_MS && counts.faults.length === 0,
  };
}

async function stopTwice({ servers }: TrialContext): Promise<Trial> {
  const site = await createSite(servers);
  const run = site.start();
  await nextRecord(run, isClip, 2);
  servers.postgres.freeze();
  const family = await descendantsOf(run.child.pid ?? 0);
  run.child.kill('SIGTERM');
  await delay(300);
  const end = await stop(run, 'SIGTERM').finally(() => {
    servers.postgres.thaw();
  });
  const left = await untilGone(family);
  const after = await drain(site);
  const counts = await site.count();
  return {
    promised: 'a second SIGTERM ends the program at once, and nothing acknowledged is lost',
    done: 'SIGTERM twice within 300 ms while Postgres is frozen, then another run',
    counted: `ended after ${end.ms} ms, children left ${left.length}; ${describeCounts(counts)}`,
    ok: end.ms < 3000 && left.length === 0 && after.code === 0 && counts.faults.length === 0,
  };
}

async function killEngine({ servers }: TrialContext): Promise<Trial> {
  const site = await createSite(servers);
  const run = site.start();
  await nextRecord(run, isClip, 2);
  const engines = (await descendantsOf(run.child.pid ?? 0)).filter(({ command }) =>
    command.includes('worker/entry'),
  );
  for (const { pid } of engines) process.kill(pid, 'SIGKILL');
  await nextRecord(run, isClip, 6);
  const end = await stop(run, 'SIGTERM');
  const counts = await site.count();
  return {
    promised: 'an engine process that dies is replaced, and the cameras go on',
    done: `${engines.length} engine processes killed with SIGKILL`,
    counted: `clips went on; exit ${end.code} after ${end.ms} ms; ${describeCounts(counts)}`,
    ok: engines.length > 0 && end.code === 0 && counts.faults.length === 0,
  };
}

async function stallCamera({ servers }: TrialContext): Promise<Trial> {
  const site = await createSite(servers);
  const run = site.start();
  await nextRecord(run, isClip, 4);
  const [camera] = servers.cameras;
  camera?.faults.stall();
  const gap = nextRecord(run, isStatus('gap', 'camera-0'));
  await nextRecord(run, isStatus('stalled', 'camera-0')).finally(() => {
    camera?.faults.resume();
  });
  await gap;
  await nextRecord(run, (record) => isClip(record) && record.payload.stream_id === 'camera-0');
  const end = await stop(run, 'SIGTERM');
  const counts = await site.count();
  return {
    promised: 'time in which a camera sends nothing is a gap, and the camera comes back',
    done: 'a camera that is connected and sends no frames until the next request, then sends again',
    counted: `a gap, then clips; exit ${end.code} after ${end.ms} ms; ${describeCounts(counts)}`,
    ok: end.code === 0 && counts.faults.length === 0,
  };
}
