import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { beforeAll, expect, onTestFinished, test } from 'vitest';

import type { StreamOptions } from '../../../src/ingest/types.ts';
import { freePort } from '../../../tools/local/free-port.ts';
import { startRtspServer } from '../../../tools/local/rtsp-server.ts';
import { readClips, type ClipReader } from '../../support/clip-reader.ts';
import { timeVideo } from '../../support/lavfi.ts';
import { fileDirectory } from '../../support/temporary-directory.ts';

// What ffmpeg reads beside files and RTSP over TCP: RTSP over UDP, and
// addresses at which this program waits for a sender.

const directory = fileDirectory();
let video: string;
let short: string;

beforeAll(async () => {
  video = await timeVideo(directory(), 'scene.mp4', { seconds: 6 });
  short = await timeVideo(directory(), 'short.mp4', { seconds: 4 });
});

function watch(url: string, options: Partial<StreamOptions> = {}): ClipReader {
  const reader = readClips({ kind: 'live', url, ...options });
  onTestFinished(() => reader.stop().catch(() => undefined));
  return reader;
}

/** ffmpeg sends the video in real time, over and over, from now until the test ends. */
function send(format: string, url: string): void {
  const input = ['-v', 'error', '-re', '-stream_loop', '-1', '-i', video, '-an', '-c', 'copy'];
  // Parameter sets before each key frame, where the container has no place of its own for them.
  const inBand = format === 'flv' ? [] : ['-bsf:v', 'h264_mp4toannexb'];
  const sender = spawn('ffmpeg', [...input, ...inBand, '-f', format, url], { stdio: 'ignore' });
  onTestFinished(async () => {
    const gone = once(sender, 'exit');
    if (sender.exitCode === null && sender.kill('SIGKILL')) await gone;
  });
}

test.each(['auto', 'udp'] as const)(
  'a camera that offers RTSP over UDP only is read: transport %s',
  async (transport) => {
    const camera = await startRtspServer({ file: video, transport: 'udp' });
    onTestFinished(() => camera.stop());
    const reader = watch(camera.url, { transport });

    await reader.until('clips', () => reader.clips.length > 1, 60_000);

    expect(reader.transitions.map(({ state }) => state)).toEqual(['connecting', 'up']);
  },
);

test('a camera that offers UDP only is down where TCP is demanded, and ffmpeg says why', async () => {
  const camera = await startRtspServer({ file: video, transport: 'udp' });
  onTestFinished(() => camera.stop());
  const reader = watch(camera.url, { transport: 'tcp' });

  await reader.until('down', () => reader.transitions.some(({ state }) => state === 'down'), 60_000);

  expect(reader.transitions.find(({ state }) => state === 'down')).toMatchObject({
    detail: expect.stringMatching(/failed: 461 Unsupported/) as string,
  });
});

test.each([
  [
    'udp',
    'mpegts',
    (port: number) => `udp://:${port}`,
    (port: number) => `udp://127.0.0.1:${port}?pkt_size=1316`,
  ],
  [
    'srt',
    'mpegts',
    (port: number) => `srt://:${port}?mode=listener`,
    (port: number) => `srt://127.0.0.1:${port}`,
  ],
  [
    'rtmp',
    'flv',
    (port: number) => `rtmp://127.0.0.1:${port}/live/x?listen=1`,
    (port: number) => `rtmp://127.0.0.1:${port}/live/x`,
  ],
] as const)('%s: a listener waits for its sender, and reads it', async (_, format, listen, call) => {
  const port = await freePort(format === 'flv' ? 'tcp' : 'udp');
  const reader = watch(listen(port), { noFrameTimeoutMs: 3000 });
  // Meanwhile another stream plays for longer than the watchdog allows.
  await readClips({ kind: 'file', url: short, realtime: true }).done;
  send(format, call(port));

  await reader.until('clips', () => reader.clips.length > 1, 60_000);

  expect(reader.transitions.map(({ state }) => state)).toEqual(['connecting', 'up']);
});

test('an .sdp file is a live source over RTP', async () => {
  const port = await freePort('udp');
  const sdp = join(directory(), 'camera.sdp');
  const lines = ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=x', 'c=IN IP4 127.0.0.1', 't=0 0'];
  await writeFile(sdp, [...lines, `m=video ${port} RTP/AVP 96`, 'a=rtpmap:96 H264/90000', ''].join('\n'));
  const reader = watch(sdp);
  send('rtp', `rtp://127.0.0.1:${port}?pkt_size=1316`);

  await reader.until('clips', () => reader.clips.length > 1, 60_000);

  expect(reader.stream.clockSource).toBe('wallclock');
});
