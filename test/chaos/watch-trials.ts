import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { startRtspServer, type RtspServer } from '../../tools/local/rtsp-server.ts';
import type { RunningCli } from '../support/cli.ts';
import { descendantsOf } from '../support/processes.ts';
import { isClip, isStatus, nextRecord } from '../support/runs.ts';
import { describeCounts } from './count.ts';
import type { Trial } from './report.ts';
import { EXIT_MS, stop, type NamedTrial, type TrialContext } from './run-control.ts';
import { createSite, light, type Servers } from './site.ts';
import { FRAMES_MS, longestHole, toldUnwatched } from './watched.ts';

/** Cameras that are connected and send nothing of use, and one that hangs up again and again. */
export const WATCH_TRIALS: readonly NamedTrial[] = [
  {
    name: 'cameras that stall for 0.9, 1 and 2 times their time-out',
    run: ({ servers }) => Promise.all([0.9, 1, 2].map((times) => stall(servers, times))),
  },
  { name: 'a camera that drips', run: drip },
  { name: 'a camera that hangs up 60 times in a row', run: hangUp },
];

const TIMEOUT_MS = 3000;
const DISCONNECTS = 60;

async function stall(servers: Servers, times: number): Promise<Trial> {
  const camera = await ownCamera(servers);
  const { site, run } = await watching(servers, camera);
  await nextRecord(run, isClip, 4);
  const noticed = nextRecord(run, isStatus('stalled'));
  camera.faults.stall();
  // Twice the time-out is told in any case, so it may begin to count when that was said.
  if (times > 1) await noticed;
  await delay(times > 1 ? TIMEOUT_MS : times * TIMEOUT_MS);
  camera.faults.resume();
  await nextRecord(run, isClip, 8);
  const end = await stop(run, 'SIGTERM');
  noticed.catch(() => undefined);
  const counts = await site.count();
  const [hole, told] = [longestHole(run.lines, 'camera-0'), toldUnwatched(run.lines, 'camera-0')];
  return {
    promised: 'whatever time of a camera that stalls was not watched is a gap, and the camera goes on',
    done: `a camera silent for ${times} of its time-out of ${TIMEOUT_MS} ms, then well`,
    counted: `gaps of ${told} ms, ${hole} ms untold; exit ${end.code} after ${end.ms} ms; ${describeCounts(counts)}`,
    ok: told > 0 && hole <= FRAMES_MS && end.code === 0 && end.ms < EXIT_MS && counts.faults.length === 0,
  };
}

async function drip({ servers }: TrialContext): Promise<Trial> {
  const camera = await ownCamera(servers);
  const { site, run } = await watching(servers, camera);
  await nextRecord(run, isClip, 4);
  const gap = nextRecord(run, isStatus('gap'));
  camera.faults.drip();
  await nextRecord(run, isStatus('down'), 2);
  camera.faults.resume();
  await gap;
  await nextRecord(run, isClip, 4);
  const end = await stop(run, 'SIGTERM');
  const counts = await site.count();
  const hole = longestHole(run.lines, 'camera-0');
  return {
    promised: 'a camera that sends bytes and no frames counts as one that sends nothing',
    done: 'a camera that sent a byte every 200 ms for two tries, then frames again',
    counted: `a gap, then clips, ${hole} ms untold; exit ${end.code} after ${end.ms} ms; ${describeCounts(counts)}`,
    ok: hole <= FRAMES_MS && end.code === 0 && end.ms < EXIT_MS && counts.faults.length === 0,
  };
}

async function hangUp({ servers }: TrialContext): Promise<Trial> {
  const camera = await ownCamera(servers);
  const { site, run } = await watching(servers, camera);
  await nextRecord(run, isClip, 4);
  const disconnect = async (): Promise<void> => {
    const again = nextRecord(run, isStatus('up'));
    camera.faults.dropClients();
    await again;
  };
  // The first ones fill what is kept for good.
  for (let n = 0; n < DISCONNECTS / 4; n += 1) await disconnect();
  const before = await usageOf(run);
  for (let n = 0; n < DISCONNECTS; n += 1) await disconnect();
  await nextRecord(run, isClip, 4);
  const after = await usageOf(run);
  const end = await stop(run, 'SIGTERM');
  const counts = await site.count();
  const hole = longestHole(run.lines, 'camera-0');
  const [descriptors, children, mebibytes] = (['descriptors', 'children', 'mebibytes'] as const).map(
    (part) => `${part} ${before[part]} to ${after[part]}`,
  );
  return {
    promised: 'a camera that hangs up again and again leaves neither descriptors nor children nor memory',
    done: `${DISCONNECTS} disconnects, each as soon as frames had come`,
    counted: `${descriptors}, ${children}, ${mebibytes}, ${hole} ms untold; exit ${end.code} after ${end.ms} ms; ${describeCounts(counts)}`,
    ok:
      after.descriptors <= before.descriptors + 2 &&
      after.children <= before.children &&
      after.mebibytes < before.mebibytes + 32 &&
      hole <= FRAMES_MS &&
      end.code === 0 &&
      end.ms < EXIT_MS &&
      counts.faults.length === 0,
  };
}

async function ownCamera({ video }: Servers): Promise<RtspServer> {
  const camera = await startRtspServer({ file: video });
  onTestFinished(() => camera.stop());
  return camera;
}

async function watching(
  servers: Servers,
  { url }: RtspServer,
): Promise<{ readonly site: Awaited<ReturnType<typeof createSite>>; readonly run: RunningCli }> {
  const reconnect = { first: '100ms', max: '500ms' };
  const streams = [{ id: 'camera-0', url, no_frame_timeout: `${TIMEOUT_MS}ms`, reconnect }];
  const site = await createSite(servers, { more: { ...light(servers), streams } });
  return { site, run: site.start() };
}

interface Usage {
  readonly descriptors: number;
  readonly children: number;
  readonly mebibytes: number;
}

async function usageOf({ child: { pid = 0 } }: RunningCli): Promise<Usage> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return {
    descriptors: (await readdir(`/proc/${pid}/fd`)).length,
    children: (await descendantsOf(pid)).length,
    mebibytes: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024),
  };
}
