import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../local/free-port.ts';
import { startRtspServer } from '../local/rtsp-server.ts';
import { demoScene } from '../scene/ready-made.ts';
import { writeSceneVideo } from '../scene/video.ts';
import { askPostgres } from './ask-postgres.ts';
import { startServices } from './demo-services.ts';
import { createTicker } from './ticker.ts';
import { writeDemoConfig } from './demo-config.ts';
import { startActionstream } from './start-actionstream.ts';

// `npm run demo`: a scene of our own making plays as a file and through an RTSP camera; real Kafka
// and Postgres receive what actionstream makes of it, and a page shows it. Ends by itself and leaves nothing
// running. With `--keep` the camera plays on and the page is served until Ctrl-C.

/**
 * The camera is watched for the length of the scene and a little more:
 * connecting and the last clip take time.
 */
const CAMERA_EXTRA_MS = 6000;

const isKept = process.argv.includes('--keep');
const directory = mkdtempSync(path.join(tmpdir(), 'actionstream-demo-'));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const heading = (text: string): void => {
  say(`\n── ${text} ${'─'.repeat(Math.max(0, 100 - text.length))}`);
};

try {
  await demo();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function demo(): Promise<void> {
  heading('1. a scene: still room, two people, still room');
  const video = path.join(directory, 'scene.mp4');
  const truth = await writeSceneVideo(demoScene({ view: 'ceiling' }), video);
  for (const { label, start_s: from, end_s: to } of truth.actions)
    say(`${from.toFixed(1)}–${to.toFixed(1)} s  ${label}`);

  heading('2. services');
  await using services = await startServices(say);
  await using camera = await startRtspServer({ file: video });
  say(`camera    ${camera.url}`);

  heading('3. actionstream run');
  const port = await freePort();
  const config = writeDemoConfig(directory, { video, cameraUrl: camera.url, services, port });
  say(`page      http://127.0.0.1:${port}  ← open it in a browser${isKept ? '; Ctrl-C ends the demo' : ''}`);
  const ticker = createTicker(say);
  const run = startActionstream(['run', config, '--json'], (record) => {
    ticker.take(record);
  });
  if (isKept) {
    const stop = (): void => {
      run.stop();
    };
    await Promise.race([run.exited, interrupted(stop)]);
    await run.exited;
    return;
  }
  const stop = delay(truth.duration_s * 1000 + CAMERA_EXTRA_MS).then(() => {
    run.stop();
  });
  const code = await Promise.race([run.exited, stop.then(() => run.exited)]);
  if (code !== 0) throw new Error(`actionstream ended with code ${code}`);
  say('stopped with SIGTERM: episodes closed, journal delivered, exit 0');

  heading('4. time steps kept of each clip');
  ticker.plot();

  heading('5. the history, as a user would query it');
  await askPostgres(services.postgresUrl, say);

  heading('6. nothing lost: journal, Kafka and Postgres compared');
  const verify = startActionstream(['events', 'verify', config], undefined);
  if ((await verify.exited) !== 0) throw new Error('events verify found differences');
}

/** Ctrl-C reaches all processes of the terminal by itself; what a supervisor sends reaches only this one. */
function interrupted(stop: () => void): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGINT', () => {
      if (!process.stdin.isTTY) stop();
      resolve();
    });
    process.on('SIGTERM', () => {
      stop();
      resolve();
    });
  });
}
