import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { ActionEvent, ClipStats, RecordType } from '../../src/core/records.ts';
import { startRtspServer } from '../../tools/local/rtsp-server.ts';
import type { SceneTruth } from '../../tools/scene/truth.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { uniqueDatabase, uniqueTopics } from '../support/names.ts';
import { isClip, isStatus, kafkaSettings, nextRecord, startRun, terminate, writeConfig } from '../support/runs.ts';
import { kcat, psql, type KafkaMessage } from '../support/strangers.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo, sceneVideo } from '../support/videos.ts';

// A file and, beside it, a busy camera: what arrives is read by clients that nobody here wrote.

demandNoLeftovers();
const directory = useTemporaryDirectory();

const SCHEMAS = {
  'action.event': 'action-event',
  'clip.stats': 'clip-stats',
  'stream.status': 'stream-status',
} as const satisfies Record<RecordType, string>;
const BUSY_CLIPS = 8;

let truth: SceneTruth;
let databaseUrl: string;
const messages = new Map<RecordType, readonly KafkaMessage[]>();

beforeAll(async () => {
  const scene = await sceneVideo(directory());
  truth = scene.truth;
  const database = await uniqueDatabase(inject('postgresUrl'));
  databaseUrl = database.url;
  const topics = uniqueTopics();
  const brokers = inject('kafkaBrokers');
  await using camera = await startRtspServer({ file: await busyVideo(directory()) });
  const config = await writeConfig(directory(), {
    instance: 'e2e',
    model: { network: 's3d-g', width: 0.5, frames: 32, size: 112, classes: 8 },
    sampler: { kind: 'ordered', width: 0.05 },
    defaults: { window: { fps: 15, stride: 16 } },
    events: { on: 0.17, off: 0.155, min_duration: '0s' },
    streams: [
      { id: 'scene', url: scene.file, start_time: '2026-01-01T12:00:00Z' },
      { id: 'busy', url: camera.url },
    ],
    journal: { dir: path.join(directory(), 'journal') },
    sinks: { kafka: kafkaSettings(brokers, topics), postgres: { url: databaseUrl } },
  });
  const run = startRun(['run', config, '--json']);
  const isBusyClip = (record: Parameters<typeof isClip>[0]): boolean =>
    isClip(record) && record.payload.stream_id === 'busy';
  await Promise.all([
    nextRecord(run, isStatus('ended', 'scene')),
    nextRecord(run, isBusyClip, BUSY_CLIPS),
  ]);
  const { code, stderr } = await terminate(run);
  expect(code, stderr).toBe(0);
  for (const type of Object.keys(SCHEMAS) as RecordType[]) messages.set(type, await kcat(brokers, topics[type]));
  return database.drop;
});
