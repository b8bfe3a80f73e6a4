import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ffmpeg } from './lavfi.ts';

/** Five frames a second. */
const FRAME_MS = 200;

export interface MjpegCamera extends AsyncDisposable {
  readonly url: string;
}

/**
 * An HTTP camera as its makers build them: five JPEG frames a second of
 * `video`, without end and without times.
 */
export async function startMjpegCamera(video: string, folder: string): Promise<MjpegCamera> {
  const frames = await jpegsOf(video, folder);
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=--cam' });
    const begunMs = performance.now();
    let sent = 0;
    let timer: NodeJS.Timeout;
    const next = (): void => {
      const frame = frames[sent++ % frames.length] ?? Buffer.alloc(0);
      response.write(`--cam\r\nContent-Type: image/jpeg\r\nContent-Length: ${frame.length}\r\n\r\n`);
      response.write(frame);
      response.write('\r\n');
      // A late frame makes the next one no later.
      timer = setTimeout(next, begunMs + sent * FRAME_MS - performance.now());
    };
    next();
    response.on('close', () => {
      clearTimeout(timer);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mjpeg`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function jpegsOf(video: string, folder: string): Promise<readonly Buffer[]> {
  await ffmpeg('-i', video, '-vf', 'fps=5', join(folder, 'frame-%02d.jpg'));
  const names = (await readdir(folder)).filter((name) => name.endsWith('.jpg')).sort();
  return Promise.all(names.map((name) => readFile(join(folder, name))));
}
