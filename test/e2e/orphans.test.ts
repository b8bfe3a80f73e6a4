import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openJournal } from '../../src/sink/journal/open-journal.ts';
import { createPostgresSink } from '../../src/sink/postgres/postgres-sink.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { rowsOf, temporaryDatabase } from '../support/names.ts';
import { actionEvent } from '../support/records.ts';
import { endRuns, isEvent, recordsOf, startRun, terminate, verify, writeConfig } from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

demandNoLeftovers();
afterEach(endRuns);

const never = new AbortController().signal;
const { time } = actionEvent().payload;
/** Made just before the run begins. */
const opened = (parts: Parameters<typeof actionEvent>[0] = {}): ReturnType<typeof actionEvent> =>
  actionEvent({ time: { ...time, processed_at: new Date().toISOString() }, ...parts });
const OTHER = { instance: 'other', version: '0.0.0' };

test('episodes that a lost journal left open in Postgres are ended by the next start, and no others', async () => {
  const url = await temporaryDatabase();
  const directory = await temporaryDirectory();
  const [lost, kept] = [opened(), opened({ episode: 1 })];
  const ofOthers = [
    opened({ episode: 2, pipeline: OTHER }),
    opened({ episode: 3, stream_id: 'cam-2' }),
    // A file's episode: the file heals it when it runs again.
    opened({ episode: 4, run_id: '11111111-1111-5111-8111-111111111111' }),
  ];
  // The journal with the other episodes is gone; this one holds the end of
  // `kept`, which Postgres has not received.
  const journal = path.join(directory, 'journal');
  {
    await using sink = createPostgresSink({ url, autoMigrate: true });
    await using left = await openJournal({ dir: journal, consumers: ['postgres'] });
    const records = [lost, kept, ...ofOthers].map((record, offset) => ({
      ...{ offset, record },
      recordedAtMs: Date.UTC(2026, 10, 22),
    }));
    await sink.write(records, never);
    await left.append([kept, opened({ episode: 1, state: 'ended' })]);
  }
  const config = await writeConfig(directory, {
    instance: 'test',
    model: { network: 's3d-g', width: 0.125, frames: 4, size: 32, classes: 4 },
    engine: { kind: 'null' },
    defaults: { realtime: true, window: { fps: 15, stride: 2 } },
    streams: [{ id: 'cam-1', url: await busyVideo(directory, 60) }],
    journal: { dir: journal },
    sinks: { postgres: { url } },
  });
  const ends = async () =>
    rowsOf(
      url,
      'SELECT episode_id AS id, end_reason AS reason FROM actionstream.action_events WHERE run_id IS NOT NULL',
    );
  const idsOpen = async () => (await ends()).filter(({ reason }) => reason === null).map(({ id }) => id);

  const run = startRun(['run', config, '--json']);
  await expect.poll(idsOpen, { timeout: 60_000 }).not.toContain(lost.payload.episode_id);
  const { code, stderr } = await terminate(run);

  expect(code, stderr).toBe(0);
  expect(stderr).toContain('open in Postgres and unknown to the journal');
  const others = ofOthers.map(({ payload }) => payload.episode_id);
  expect((await idsOpen()).toSorted()).toEqual(others.toSorted());
  const reasons = new Map((await ends()).map(({ id, reason }) => [id, reason]));
  expect(reasons.get(lost.payload.episode_id)).toBe('restart');
  expect(reasons.get(kept.payload.episode_id)).toBe('below_threshold');
  // The end goes to every sink, once.
  const told = recordsOf(run).filter(isEvent);
  expect(told.filter(({ payload }) => payload.end_reason === 'restart')).toHaveLength(1);
  expect(await verify(config)).toMatchObject({ consistent: true });
});
