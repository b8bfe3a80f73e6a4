import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { median } from '../../src/core/median.ts';
import type { ActionEvent, ClipStats, RecordType } from '../../src/core/records.ts';
import { startRtspServer } from '../../tools/local/rtsp-server.ts';
import type { SceneTruth } from '../../tools/scene/truth.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { uniqueDatabase, uniqueTopics } from '../support/names.ts';
import {
  endRuns,
  isClip,
  isStatus,
  kafkaSettings,
  nextRecord,
  startRun,
  terminate,
  TINY,
  writeConfig,
} from '../support/runs.ts';
import { kcat, psql, type KafkaMessage } from '../support/strangers.ts';
import { fileDirectory } from '../support/temporary-directory.ts';
import { busyVideo, sceneVideo } from '../support/videos.ts';

// A file and, beside it, a busy camera: what arrives is read by clients that nobody here wrote.

demandNoLeftovers();
const directory = fileDirectory();
afterAll(endRuns);

const SCHEMAS = {
  'action.event': 'action-event',
  'clip.stats': 'clip-stats',
  'stream.status': 'stream-status',
} as const satisfies Record<RecordType, string>;
const BUSY_CLIPS = 8;
const START = '2026-01-01T12:00:00.000Z';

let truth: SceneTruth;
let database: Awaited<ReturnType<typeof uniqueDatabase>>;
const messages = new Map<RecordType, readonly KafkaMessage[]>();

beforeAll(async () => {
  const scene = await sceneVideo(directory());
  truth = scene.truth;
  database = await uniqueDatabase(inject('postgresUrl'));
  const topics = uniqueTopics();
  const brokers = inject('kafkaBrokers');
  await using camera = await startRtspServer({ file: await busyVideo(directory()) });
  const config = await writeConfig(directory(), {
    instance: 'e2e',
    model: { network: 's3d-g', width: 0.5, frames: 32, size: 112, classes: 8 },
    sampler: { kind: 'ordered', width: 0.05 },
    engine: TINY.engine,
    defaults: { window: { fps: 15, stride: 16 } },
    events: { on: 0.17, off: 0.155, min_duration: '0s' },
    streams: [
      { id: 'scene', url: scene.file, start_time: START },
      { id: 'busy', url: camera.url },
    ],
    journal: { dir: path.join(directory(), 'journal') },
    sinks: { kafka: kafkaSettings(brokers, topics), postgres: { url: database.url } },
  });
  const run = startRun(['run', config, '--json']);
  const isBusyClip = (record: Parameters<typeof isClip>[0]): boolean =>
    isClip(record) && record.payload.stream_id === 'busy';
  await Promise.all([nextRecord(run, isStatus('ended', 'scene')), nextRecord(run, isBusyClip, BUSY_CLIPS)]);
  const { code, stderr } = await terminate(run);
  expect(code, stderr).toBe(0);
  for (const type of Object.keys(SCHEMAS) as RecordType[])
    messages.set(type, await kcat(brokers, topics[type]));
});
afterAll(() => database.drop());

describe('Kafka, as kcat reads it', () => {
  test('every message is a CloudEvent in binary mode under the key of its stream', () => {
    for (const [type, received] of messages) {
      expect(received.length, type).toBeGreaterThan(0);
      for (const { key, headers, payload } of received) {
        const { stream_id: stream } = JSON.parse(payload) as { stream_id: string };
        expect(key).toBe(stream);
        expect(headers).toMatchObject({
          ce_specversion: '1.0',
          ce_source: `/actionstream/e2e/streams/${stream}`,
          ce_partitionkey: stream,
          ce_dataschema: schemaOf(type).$id,
          'content-type': 'application/json',
        });
        expect(headers['ce_time']).toMatch(RFC3339);
        expect(headers['ce_recordedtime']).toMatch(RFC3339);
      }
      const ids = received.map(({ headers }) => `${headers['ce_source']} ${headers['ce_id']}`);
      expect(new Set(ids).size, 'identities are unique').toBe(ids.length);
    }
  });

  test('an event says in its headers which episode it changes, and how', () => {
    for (const { headers, payload } of messages.get('action.event')!) {
      const { episode_id: episode, sequence, state } = JSON.parse(payload) as ActionEvent;
      expect(headers).toMatchObject({
        ce_id: `${episode}:${sequence}`,
        ce_subject: episode,
        ce_sequence: String(sequence),
        ce_type: `io.actionstream.action.${state}.v1`,
      });
    }
  });

  test('every payload conforms to its published schema', () => {
    for (const [type, received] of messages) {
      const validate = addFormats.default(new Ajv2020.default({ strict: true })).compile(schemaOf(type));
      for (const { payload } of received)
        expect(validate(JSON.parse(payload)), `${JSON.stringify(validate.errors)} in ${payload}`).toBe(true);
    }
  });

  test('the people in the scene are events, started and ended, within the time they are seen', () => {
    const events = eventsOf('scene');
    const [first, last] = [truth.actions[0]!, truth.actions.at(-1)!];

    expect(events.length).toBeGreaterThanOrEqual(2);
    expect(events[0]).toMatchObject({ state: 'started', sequence: 0, model: { id: 'untrained-s3d-g' } });
    for (const { state, started_at: start, ended_at: end } of events) {
      expect(secondsOf(start)).toBeGreaterThan(first.start_s - CLIP_S);
      if (state === 'ended') expect(secondsOf(end!)).toBeLessThan(last.end_s + CLIP_S);
    }
    const ended = events.filter(({ state }) => state === 'ended').map(({ episode_id: id }) => id);
    expect(new Set(ended)).toEqual(new Set(events.map(({ episode_id: id }) => id)));
  });
});

describe('Postgres, as psql reads it', () => {
  test('action_events holds the last event of every episode', async () => {
    const rows = await psql(
      database.url,
      `SELECT episode_id, sequence, state, end_reason, stream_id, label, started_at, ended_at, score_peak, clips,
              kept_steps FROM actionstream.action_events`,
    );
    const lastEvents = new Map(
      [...eventsOf('scene'), ...eventsOf('busy')].map((event) => [event.episode_id, event]),
    );

    expect(rows.length).toBe(lastEvents.size);
    for (const row of rows) {
      const event = lastEvents.get(row['episode_id'] as string)!;
      expect(row).toMatchObject({
        ...{ sequence: event.sequence, state: event.state, end_reason: event.end_reason },
        ...{ stream_id: event.stream_id, label: event.label, score_peak: event.score.peak },
        ...{ clips: event.clips, kept_steps: event.compute.kept_steps },
      });
      expect(Date.parse(row['started_at'] as string)).toBe(Date.parse(event.started_at));
      expect(Date.parse(row['ended_at'] as string)).toBe(Date.parse(event.ended_at!));
    }
  });

  test('clip_stats holds every clip that Kafka has', async () => {
    const rows = await psql<{ clip_id: string; stream_id: string; kept_steps: number }>(
      database.url,
      'SELECT clip_id, stream_id, kept_steps FROM actionstream.clip_stats ORDER BY stream_id, clip_seq',
    );
    const expected = [...clipsOf('busy'), ...clipsOf('scene')].map(
      ({ clip_id, stream_id, compute: { kept_steps } }) => ({ clip_id, stream_id, kept_steps }),
    );

    expect(rows).toEqual(expected);
  });

  test('the sums in an event are the sums over the clip statistics that it spans', async () => {
    // A clip speaks for its middle, so the clips of an episode are those whose middle lies in it.
    const rows = await psql<Record<'event' | 'clips', Record<string, number>>>(
      database.url,
      `SELECT json_build_object('clips', e.clips, ${SUMMED.map((column) => `'${column}', e.${column}`).join(', ')}) AS event,
              json_build_object('clips', count(*), ${SUMMED.map((column) => `'${column}', sum(c.${column})`).join(', ')}) AS clips
         FROM actionstream.action_events e
         JOIN actionstream.clip_stats c ON c.stream_id = e.stream_id AND c.segment = e.segment
              AND c.clip_start + (c.clip_end - c.clip_start) / 2 >= e.started_at
              AND c.clip_start + (c.clip_end - c.clip_start) / 2 < e.ended_at
        WHERE e.stream_id = 'scene' GROUP BY e.episode_id, e.started_at`,
    );

    expect(rows.length).toBeGreaterThan(0);
    for (const { event, clips } of rows) expect(clips).toEqual(event);
  });
});

describe('receipts', () => {
  test('clips of the empty room keep one to three steps, clips with people more, the busy camera most', () => {
    const { still, moving } = stillAndMoving();

    expect(still.length).toBeGreaterThanOrEqual(8);
    expect(moving.length).toBeGreaterThanOrEqual(4);
    for (const clip of still) expect(clip.compute.kept_steps, clip.clip_start).toBeLessThanOrEqual(3);
    for (const clip of moving) expect(clip.compute.kept_steps, clip.clip_start).toBeGreaterThan(3);
    const busy = clipsOf('busy').map(({ compute }) => compute.kept_steps);
    expect(median(busy)).toBeGreaterThanOrEqual(median(moving.map(({ compute }) => compute.kept_steps)));
  });

  test('fewer steps cost fewer multiply-adds', () => {
    const { still, moving } = stillAndMoving();
    const both = [...still, ...moving].map(({ compute }) => compute);

    // A clip that repeats the one before it spends nothing of its own: what its steps cost is reused.
    const costOf = ({ multiply_adds: used, reused_multiply_adds: reused }: (typeof both)[number]): number =>
      used + reused;
    for (const one of both) {
      expect(one.multiply_adds).toBeLessThan(one.dense_multiply_adds);
      if (one.kept_steps < one.input_steps) expect(costOf(one)).toBeLessThan(one.dense_multiply_adds);
      for (const other of both) {
        if (other.kept_steps > one.kept_steps) expect(costOf(other)).toBeGreaterThan(costOf(one));
      }
    }
    const spent = (clips: typeof still): readonly number[] =>
      clips.map(({ compute }) => compute.multiply_adds);
    expect(Math.max(...spent(still))).toBeLessThan(Math.min(...spent(moving)));
  });
});

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const CLIP_S = 32 / 15;
const SUMMED = [
  'kept_steps',
  'input_steps',
  'multiply_adds',
  'dense_multiply_adds',
  'reused_steps',
  'reused_kept_steps',
  'reused_multiply_adds',
];

function schemaOf(type: RecordType): { readonly $id: string } {
  const file = path.join(import.meta.dirname, '..', '..', 'schemas', `${SCHEMAS[type]}.schema.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as { $id: string };
}

function payloadsOf<Payload extends { readonly stream_id: string }>(
  type: RecordType,
  stream: string,
): Payload[] {
  return messages
    .get(type)!
    .map(({ payload }) => JSON.parse(payload) as Payload)
    .filter(({ stream_id }) => stream_id === stream);
}

function eventsOf(stream: string): ActionEvent[] {
  return payloadsOf<ActionEvent>('action.event', stream);
}

function clipsOf(stream: string): ClipStats[] {
  return payloadsOf<ClipStats>('clip.stats', stream);
}

/** Seconds of the scene. */
function secondsOf(time: string): number {
  return (Date.parse(time) - Date.parse(START)) / 1000;
}

/** Clips of the file wholly before and after anybody is seen, and those that show some of the fight. */
function stillAndMoving(): { readonly still: readonly ClipStats[]; readonly moving: readonly ClipStats[] } {
  const [from, to] = [truth.actions[0]!.start_s, Math.max(...truth.actions.map(({ end_s: end }) => end))];
  const fight = truth.actions.find(({ label }) => label === 'fight')!;
  const clips = clipsOf('scene');
  const overlaps = ({ clip_start: start, clip_end: end }: ClipStats, first: number, last: number): boolean =>
    secondsOf(end) > first && secondsOf(start) < last;
  return {
    still: clips.filter((clip) => !overlaps(clip, from, to)),
    moving: clips.filter((clip) => overlaps(clip, fight.start_s, fight.end_s)),
  };
}
