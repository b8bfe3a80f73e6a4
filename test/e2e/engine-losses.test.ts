import path from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { startRtspServer } from '../../tools/local/rtsp-server.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { descendantsOf } from '../support/processes.ts';
import { endRuns, isClip, nextRecord, startRun, terminate, TINY, writeConfig } from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

demandNoLeftovers();
afterEach(endRuns);

/**
 * Two clips lose both of their tries, and a third one its first: the pauses
 * before the next process have begun to grow.
 */
const KILLS = 5;

test('an engine that is killed again and again costs clips and no camera', async () => {
  const directory = await temporaryDirectory();
  const camera = await startRtspServer({ file: await busyVideo(directory) });
  onTestFinished(() => camera.stop());
  const config = await writeConfig(directory, {
    ...TINY,
    engine: { ...TINY.engine, processes: 1 },
    defaults: { window: { fps: 15, stride: 8 } },
    streams: [{ id: 'camera', url: camera.url }],
    journal: { dir: path.join(directory, 'journal') },
  });
  const run = startRun(['run', config, '--json']);
  await nextRecord(run, isClip);

  const killed = new Set<number>();
  await expect
    .poll(
      async () => {
        for (const { pid, command } of await descendantsOf(run.child.pid!)) {
          if (!command.includes('entry.js') || killed.has(pid)) continue;
          process.kill(pid, 'SIGKILL');
          killed.add(pid);
        }
        return killed.size;
      },
      { timeout: 120_000, interval: 20 },
    )
    .toBeGreaterThanOrEqual(KILLS);

  await nextRecord(run, isClip, 3);
  const { code, stderr } = await terminate(run);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('lost again and again');
  expect(stderr).not.toContain('"stream failed"');
});
