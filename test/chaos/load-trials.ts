import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { freePort } from '../../tools/local/free-port.ts';
import { startRtspServer } from '../../tools/local/rtsp-server.ts';
import { compareCounters } from '../../tools/soak/compare-counters.ts';
import { quietMetrics } from '../../tools/soak/quiet.ts';
import { sumOf } from '../../tools/soak/sample.ts';
import { isClip, nextRecord } from '../support/runs.ts';
import { describeCounts } from './count.ts';
import type { Trial } from './report.ts';
import { EXIT_MS, stop, type NamedTrial, type TrialContext } from './run-control.ts';
import { createSite } from './site.ts';
import { longestHole } from './watched.ts';

/** More cameras than the machine can watch. */
export const LOAD_TRIALS: readonly NamedTrial[] = [
  { name: '16 cameras with the shipped model', run: overload },
];

const CAMERAS = 16;
/** A clip begins so often that no machine of a few cores keeps up. */
const STRIDE = 2;

async function overload({ servers, overloadMs }: TrialContext): Promise<Trial> {
  const camera = await startRtspServer({ file: servers.video });
  onTestFinished(() => camera.stop().catch(() => undefined));
  const port = await freePort();
  const ids = Array.from({ length: CAMERAS }, (_, n) => `camera-${n}`);
  const more = {
    model: {},
    sampler: {},
    engine: {},
    defaults: { window: { stride: STRIDE } },
    streams: ids.map((id) => ({ id, url: camera.url })),
    metrics: { port },
  };
  const site = await createSite(servers, { more });
  const run = site.start();
  await nextRecord(run, isClip, 2 * CAMERAS);
  await delay(overloadMs);
  // Nothing comes any more: what the program counts and what the sinks hold can be compared.
  await camera.stop();
  const metrics = await quietMetrics(`http://127.0.0.1:${port}/metrics`);
  const { databaseUrl: postgresUrl, brokers, topics } = site;
  const findings = await compareCounters(metrics, { postgresUrl, brokers, topics });
  const end = await stop(run, 'SIGTERM');
  const counts = await site.count();
  const verified = await site.verify();
  const hole = Math.max(...ids.map((id) => longestHole(run.lines, id)));
  const [clips, dropped] = ['clips', 'clips_dropped'].map((part) =>
    sumOf(metrics, `actionstream_${part}_total`),
  );
  const different = findings.filter(({ good }) => !good);
  return {
    promised:
      'more cameras than the machine can watch: each has its turn, what is dropped is counted and a gap',
    done: `${CAMERAS} cameras with the shipped model at a stride of ${STRIDE} frames for ${overloadMs / 1000} s, then SIGTERM`,
    counted: `clips ${clips}, dropped ${dropped}, ${hole} ms untold; ${findings.map(({ what, found }) => `${what} ${found}`).join(', ')}; exit ${end.code} after ${end.ms} ms; verify exit ${verified.code}; ${describeCounts(counts)}`,
    ok:
      different.length === 0 &&
      end.code === 0 &&
      end.ms < EXIT_MS &&
      verified.code === 0 &&
      counts.faults.length === 0,
  };
}
