import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Resources } from '../../src/core/resources.ts';
import { startRtspServer } from '../local/rtsp-server.ts';
import { demoScene, STORIES } from '../scene/ready-made.ts';
import { writeSceneVideo } from '../scene/video.ts';

// The cameras of deploy/compose: a hall in which two people fight and a ward in which one falls, endlessly.
// `--host ADDRESS` listens there; `--port N`, once a camera, in place of 8554 and 8555.

const CAMERAS = [
  { path: '/hall', story: STORIES[0] },
  { path: '/ward', story: STORIES[1] },
];

const {
  values: { host, port: ports },
} = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', multiple: true, default: ['8554', '8555'] },
  },
});
const directory = mkdtempSync(path.join(tmpdir(), 'actionstream-cameras-'));
const stopped = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      resolve();
    });
  }
});
try {
  await using cameras = new Resources();
  for (const [n, camera] of CAMERAS.entries()) {
    const file = path.join(directory, `${camera.story}.mp4`);
    await writeSceneVideo(demoScene({ view: 'ceiling', story: camera.story }), file);
    const server = await startRtspServer({ file, path: camera.path, port: Number(ports[n]), host });
    cameras.add(server, camera.path);
    process.stdout.write(`${server.url}\n`);
  }
  await stopped;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
