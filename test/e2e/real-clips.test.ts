import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ClipStats, PublishedRecord } from '../../src/core/records.ts';
import { startRtspServer } from '../../tools/local/rtsp-server.ts';
import { jsonLines, ROOT } from '../support/cli.ts';
import { ffmpeg } from '../support/lavfi.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import {
  endRuns,
  isClip,
  isStatus,
  nextRecord,
  recordsOf,
  startRun,
  terminate,
  TINY,
  writeConfig,
} from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

// Real footage is not ours to give away: it lies beside the repository, or the tests are left out and say so.
const DATA = process.env['ACTIONSTREAM_DATA'] ?? path.join(ROOT, '..', 'shared', 'data');
const absent = !existsSync(path.join(DATA, 'cctv'));
if (absent) {
  process.stderr.write(
    `left out: test/e2e/real-clips.test.ts (real footage): nothing at ${DATA}; ACTIONSTREAM_DATA names another place\n`,
  );
}

demandNoLeftovers();
afterEach(endRuns);

const NETWORK = ['--model', 's3d-g', '--sampler', 'ordered', '--delta', '0.05', '--json'];
const WIDE = [
  ...NETWORK,
  ...'--width 0.5 --frames 32 --size 112 --classes 8 --fps 15 --clip-stride 32'.split(' '),
];

interface InferredClip {
  readonly start_ms: number;
  readonly end_ms: number;
  readonly compute: {
    readonly kept_steps: number;
    readonly multiply_adds: number;
    readonly dense_multiply_adds: number;
  };
}

describe.skipIf(absent)('a room that is empty half of the time (139 s)', () => {
  let clips: readonly InferredClip[] = [];
  beforeAll(async () => {
    clips = await infer(path.join(DATA, 'cctv', 'one-by-one-person-detection.mp4'), WIDE);
    await endRuns();
  });
  const within = (fromS: number, toS: number): readonly InferredClip[] =>
    clips.filter((clip) => clip.start_ms >= fromS * 1000 && clip.end_ms <= toS * 1000);
  const empty = (): readonly InferredClip[] => [...within(29.8, 42), ...within(95.9, 117.4)];
  const person = (): readonly InferredClip[] => [...within(17, 25.7), ...within(117.3, 119.5)];

  test('is read to its end, clip after clip', () => {
    expect(clips.length).toBeGreaterThanOrEqual(64);
    expect(clips.at(-1)!.end_ms / 1000).toBeGreaterThan(137);
    clips.slice(1).forEach((clip, index) => {
      expect(clip.start_ms).toBe(clips[index]!.end_ms);
    });
  });

  test('keeps one to three steps while it is empty', () => {
    expect(empty().length).toBeGreaterThanOrEqual(12);
    for (const { start_ms: start, compute } of empty())
      expect(compute.kept_steps, `at ${start} ms`).toBeLessThanOrEqual(3);
  });

  test('keeps more while a person is there', () => {
    expect(person().length).toBeGreaterThanOrEqual(5);
    for (const { start_ms: start, compute } of person())
      expect(compute.kept_steps, `at ${start} ms`).toBeGreaterThan(3);
  });

  test('takes less work while it is empty', () => {
    for (const { compute } of empty()) {
      expect(compute.multiply_adds).toBeLessThan(compute.dense_multiply_adds);
      for (const other of person()) expect(compute.multiply_adds).toBeLessThan(other.compute.multiply_adds);
    }
  });
});

test.skipIf(absent)(
  'the same room as a camera, beside a busy one: steps and work follow what is seen',
  async () => {
    const directory = await temporaryDirectory();
    // A person until 2 s, then nobody until 18 s, then a person: 24 to 44 s of the file.
    const room = path.join(directory, 'room.mp4');
    await ffmpeg(
      ...['-ss', '24', '-t', '20', '-i', path.join(DATA, 'cctv', 'one-by-one-person-detection.mp4'), '-an'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '18', '-bf', '0', '-g', '30', room],
    );
    await using roomCamera = await startRtspServer({ file: room });
    await using busyCamera = await startRtspServer({ file: await busyVideo(directory) });
    const config = await writeConfig(directory, {
      model: { network: 's3d-g', width: 0.5, frames: 32, size: 112, classes: 8 },
      sampler: { kind: 'ordered', width: 0.05 },
      engine: TINY.engine,
      defaults: { window: { fps: 15, stride: 32 } },
      streams: [
        { id: 'room', url: roomCamera.url },
        { id: 'busy', url: busyCamera.url },
      ],
      journal: { dir: path.join(directory, 'journal') },
    });
    const run = startRun(['run', config, '--json']);
    const keptOf = (record: PublishedRecord, stream: string): number =>
      isClip(record) && record.payload.stream_id === stream ? record.payload.compute.kept_steps : NaN;
    // The video goes round and round: a slow machine, which drops clips, sees enough of it as well.
    await Promise.all([
      nextRecord(run, (record) => keptOf(record, 'room') <= 3, 4),
      nextRecord(run, (record) => keptOf(record, 'room') > 3),
      nextRecord(run, (record) => keptOf(record, 'busy') > 0),
    ]);
    const { code, stderr } = await terminate(run);
    expect(code, stderr).toBe(0);

    const clips = recordsOf(run).filter(isClip);
    const receiptsOf = (stream: string): readonly ClipStats['compute'][] =>
      clips.filter(({ payload }) => payload.stream_id === stream).map(({ payload }) => payload.compute);
    const still = receiptsOf('room').filter(({ kept_steps: kept }) => kept <= 3);
    const moving = receiptsOf('room').filter(({ kept_steps: kept }) => kept > 3);
    expect(still.length).toBeGreaterThanOrEqual(4);
    expect(moving.length).toBeGreaterThanOrEqual(1);
    const busy = receiptsOf('busy');
    for (const { kept_steps: kept } of busy) expect(kept).toBeGreaterThan(3);
    const worked = (some: readonly ClipStats['compute'][]): number[] =>
      some.map(({ multiply_adds: multiplyAdds }) => multiplyAdds);
    expect(Math.max(...worked(still))).toBeLessThan(Math.min(...worked([...moving, ...busy])));
  },
);

test.skipIf(absent)(
  'odd, truncated and variable-rate files of the web and the street run to their ends',
  async () => {
    const directory = await temporaryDirectory();
    const web = (await readdir(path.join(DATA, 'web'))).map((name) => path.join(DATA, 'web', name));
    const street = ['highway.mpg', 'traffic_camera_vfr.mp4', 'video02.avi'].map((name) =>
      path.join(DATA, 'cctv', name),
    );
    const streams = [...web, ...street].map((url) => ({ id: path.basename(url), url }));
    expect(streams.length).toBeGreaterThan(10);
    const config = await writeConfig(directory, {
      ...TINY,
      streams,
      journal: { dir: path.join(directory, 'journal') },
      log: { level: 'warn' },
    });
    const run = startRun(['run', config, '--json']);
    const { code, stderr } = await run.done;

    expect(code, stderr).toBe(0);
    const records = recordsOf(run);
    for (const { id } of streams) {
      const clips = records.filter(isClip).filter(({ payload }) => payload.stream_id === id);
      expect(clips.length, id).toBeGreaterThan(3);
      for (const { payload } of clips) {
        expect(Date.parse(payload.clip_end)).toBeGreaterThan(Date.parse(payload.clip_start));
        expect(payload.scores.every(({ score }) => score > 0 && score < 1)).toBe(true);
        expect(payload.compute.kept_steps).toBeGreaterThanOrEqual(1);
        expect(payload.compute.kept_steps).toBeLessThanOrEqual(payload.compute.input_steps);
      }
      expect(
        records.some((record) => isStatus('ended', id)(record) && hasReason(record, 'eof')),
        id,
      ).toBe(true);
    }
  },
);

function hasReason(record: PublishedRecord, reason: string): boolean {
  return record.type === 'stream.status' && record.payload.reason === reason;
}

async function infer(file: string, settings: readonly string[]): Promise<readonly InferredClip[]> {
  const { code, stdout, stderr } = await startRun(['infer', file, ...settings]).done;
  expect(code, stderr).toBe(0);
  return jsonLines(stdout) as InferredClip[];
}
