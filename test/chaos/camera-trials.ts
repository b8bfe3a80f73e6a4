import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { startRtspServer } from '../../tools/local/rtsp-server.ts';
import { ffmpeg } from '../support/lavfi.ts';
import { isClip, isStatus, nextRecord } from '../support/runs.ts';
import { describeCounts } from './count.ts';
import type { Trial } from './report.ts';
import { EXIT_MS, stop, type NamedTrial, type TrialContext } from './run-control.ts';
import { createSite, light } from './site.ts';

/** What happens to a camera; one that stalls is among the process trials. */
export const CAMERA_TRIALS: readonly NamedTrial[] = [
  { name: 'a camera killed and started', run: (context) => lose(context, 'nothing') },
  { name: 'garbage on the port of a camera', run: (context) => lose(context, 'garbage') },
  {
    name: 'a camera that comes back with another size',
    run: (context) => lose(context, 'nothing', { size: '320x240', codec: 'libx264' }),
  },
  {
    name: 'a camera that comes back with another codec',
    run: (context) => lose(context, 'nothing', { size: '160x120', codec: 'mpeg4' }),
  },
];

interface Video {
  readonly size: string;
  readonly codec: 'libx264' | 'mpeg4';
}

async function lose(
  { servers }: TrialContext,
  meanwhile: 'nothing' | 'garbage',
  other?: Video,
): Promise<Trial> {
  const first = await startRtspServer({ file: servers.video });
  const { url, port } = first;
  const more = {
    ...light(servers),
    streams: [{ id: 'camera-0', url, reconnect: { first: '500ms', max: '1s' } }],
  };
  const site = await createSite(servers, { more });
  const run = site.start();
  await nextRecord(run, isClip, 4);
  const down = nextRecord(run, isStatus('down'), 2);
  await first.stop();
  // From here on the port is the next camera's.
  if (meanwhile === 'garbage') await answerGarbage(port, 2);
  else await down;
  const file = other === undefined ? servers.video : await videoOf(other, site.directory);
  const gap = nextRecord(run, isStatus('gap'));
  const second = await startRtspServer({ file, port });
  onTestFinished(() => second.stop());
  await gap;
  await nextRecord(run, isClip, 4);
  const end = await stop(run, 'SIGTERM');
  const counts = await site.count();
  return {
    promised: 'a camera that goes away is connected again without end, and the time without it is a gap',
    done: `a camera killed during a run, ${meanwhile} on its port for two tries, then ${other === undefined ? 'the same' : `${other.size}, ${other.codec}`} again`,
    counted: `a gap, then clips; exit ${end.code} after ${end.ms} ms; ${describeCounts(counts)}`,
    ok: end.code === 0 && end.ms < EXIT_MS && counts.faults.length === 0,
  };
}

/** Resolves when so many clients have each got bytes that mean nothing. */
async function answerGarbage(port: number, clients: number): Promise<void> {
  let served = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined).resume();
    socket.end(Buffer.from(Array.from({ length: 4096 }, (_, n) => (n * 167 + served) % 256)));
    served += 1;
    if (served >= clients) server.close();
  }).listen(port, '127.0.0.1');
  await once(server, 'close');
}

async function videoOf({ size, codec }: Video, directory: string): Promise<string> {
  const file = path.join(directory, 'other.mp4');
  const source = `testsrc2=size=${size}:rate=15:duration=10,format=yuv420p`;
  const fast = codec === 'libx264' ? ['-preset', 'ultrafast'] : [];
  await ffmpeg('-f', 'lavfi', '-i', source, '-c:v', codec, ...fast, '-bf', '0', '-g', '15', file);
  return file;
}
