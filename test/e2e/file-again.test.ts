import path from 'node:path';
import { afterEach, expect, inject, test } from 'vitest';
import { DEFAULT_TOPICS } from '../../src/sink/kafka/options.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { rowsOf, temporaryDatabase, uniqueTopics } from '../support/names.ts';
import {
  endRuns,
  isClip,
  isEvent,
  kafkaSettings,
  nextRecord,
  recordsOf,
  startRun,
  terminate,
  verify,
  writeConfig,
} from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

demandNoLeftovers();
afterEach(endRuns);

/** Scores mean nothing and cost nothing; one label is there from the first clip to the last. */
const MODEL = {
  model: { network: 's3d-g', width: 0.125, frames: 4, size: 32, classes: 2 },
  engine: { kind: 'null' },
  events: { on: 0, off: 0, min_duration: '0s', update_interval: '1h', allow: ['class-0'] },
};

test('a file that is interrupted and run again ends in both sinks with the true end, and verify agrees', async () => {
  const directory = await temporaryDirectory();
  const url = await temporaryDatabase();
  const configFor = (name: string, realtime: boolean): Promise<string> =>
    writeConfig(
      directory,
      {
        instance: 'again',
        ...MODEL,
        defaults: { realtime, policy: 'every_frame', window: { fps: 15, stride: 4 } },
        streams: [{ id: 'clip', url: path.join(directory, 'busy.mp4') }],
        journal: { dir: path.join(directory, 'journal') },
        sinks: { postgres: { url }, kafka: kafkaSettings(inject('kafkaBrokers'), topics), ndjson: {} },
      },
      name,
    );
  const topics = { ...DEFAULT_TOPICS, ...uniqueTopics() };
  await busyVideo(directory);
  const slow = await configFor('slow.yaml', true);
  const fast = await configFor('fast.yaml', false);

  const interrupted = startRun(['run', slow]);
  await nextRecord(interrupted, isClip, 5);
  await terminate(interrupted);
  const [provisional] = recordsOf(interrupted).filter(isEvent).slice(-1);
  const rerun = startRun(['run', fast]);
  expect((await rerun.done).code).toBe(0);
  const [whole] = recordsOf(rerun).filter(isEvent).slice(-1);

  expect(provisional?.payload).toMatchObject({ end_reason: 'shutdown', sequence: 1 });
  expect(whole?.payload).toMatchObject({ end_reason: 'end_of_stream', sequence: 1 });
  expect(whole?.payload.episode_id).toBe(provisional?.payload.episode_id);
  expect(await rowsOf(url, 'SELECT end_reason, duration_ms FROM actionstream.action_events')).toEqual([
    { end_reason: 'end_of_stream', duration_ms: whole?.payload.duration_ms },
  ]);
  const result = await verify(fast);
  expect(result.differences).toEqual([]);
  expect(result.consistent).toBe(true);
});
