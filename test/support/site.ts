import path from 'node:path';
import { inject, onTestFinished } from 'vitest';
import type { KafkaTopics } from '../../src/sink/kafka/options.ts';
import { startRtspServer, type RtspServer } from '../../tools/local/rtsp-server.ts';
import { demoScene } from '../../tools/scene/ready-made.ts';
import { writeSceneVideo } from '../../tools/scene/video.ts';
import { writeFile } from 'node:fs/promises';
import { freePort } from '../../tools/local/free-port.ts';
import { temporaryDatabase, uniqueTopics } from './names.ts';
import { kafkaSettings, startRun, writeConfig } from './runs.ts';
import type { RunningCli } from './cli.ts';
import { SHIPPED_MODEL } from './shipped-model.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Of the role admin. */
export const TOKEN = '0123456789abcdef-page';

const CAMERAS = [
  { id: 'dock-3', scene: { view: 'ceiling', width: 480, height: 360 } },
  { id: 'entrance', scene: { view: 'hall', story: 'fall', seed: 7, width: 480, height: 360 } },
] as const;

export interface Site {
  readonly url: string;
  readonly run: RunningCli;
  readonly databaseUrl: string;
  readonly topics: KafkaTopics;
  readonly cameras: ReadonlyMap<string, RtspServer>;
}

/**
 * A program with the shipped model, two cameras that see scenes, and `gate`, which never answers. It has
 * Kafka, Postgres and a token. All of it ends with the test.
 */
export async function startSite(): Promise<Site> {
  const directory = await temporaryDirectory();
  const [databaseUrl, topics, port] = [await temporaryDatabase(), uniqueTopics(), await freePort()];
  const cameras = new Map(
    await Promise.all(
      CAMERAS.map(async ({ id, scene }) => {
        const file = path.join(directory, `${id}.mp4`);
        await writeSceneVideo(demoScene(scene), file);
        const camera = await startRtspServer({ file });
        onTestFinished(() => camera.stop());
        return [id, camera] as const;
      }),
    ),
  );
  const tokens = path.join(directory, 'tokens');
  await writeFile(tokens, `admin ${TOKEN} jana\n`);
  const config = await writeConfig(directory, {
    instance: 'site',
    model: { path: SHIPPED_MODEL },
    http: { port, token_file: tokens },
    defaults: { reconnect: { first: '200ms', max: '2s' }, no_frame_timeout: '2s' },
    streams: [
      ...[...cameras].map(([id, camera]) => ({ id, url: camera.url })),
      { id: 'gate', url: `rtsp://127.0.0.1:${await freePort()}/cam` },
    ],
    journal: { dir: path.join(directory, 'journal') },
    media: { dir: path.join(directory, 'media'), after: '2s' },
    sinks: { kafka: kafkaSettings(inject('kafkaBrokers'), topics), postgres: { url: databaseUrl } },
  });
  const run = startRun(['run', config]);
  return { url: `http://127.0.0.1:${port}`, run, databaseUrl, topics, cameras };
}
