import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { ActionEvent } from '../../../src/core/records.ts';
import { toRfc3339 } from '../../../src/core/time.ts';
import type { MediaKeeper } from '../../../src/media/media-keeper.ts';
import type { KeptMedia } from '../../../src/media/types.ts';
import { startRtspServer, type RtspServer } from '../../../tools/local/rtsp-server.ts';
import { timeVideo } from '../../support/lavfi.ts';
import { demandNoLeftovers } from '../../support/leftovers.ts';
import { actionEvent } from '../../support/records.ts';
import { fileDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { filmedAt, openKeeper, seenAt, watch, type Watched } from './footage.ts';

demandNoLeftovers();
const folder = fileDirectory();
const video = (): string => path.join(folder(), 'scene.mp4');
// A key frame a second: clips begin up to a segment before they were asked to.
beforeAll(() => timeVideo(folder(), 'scene.mp4', { seconds: 8, keyframeEvery: 25 }));

/** Frames and segments are placed one after the other, while event time follows the wall clock. */
const NEAR_MS = 200;

test('a clip and a snapshot of a camera show what the network saw at that time', async () => {
  const keeper = await openKeeper();
  const { watched } = await filmed(keeper);
  const startedAtMs = (watched.frames[0]?.capturedAtMs ?? 0) + 3000;
  const { payload } = episode(startedAtMs, 1200);

  keeper.onEvents([started(payload)]);
  expect(await keeper.find(payload.episode_id)).toMatchObject({ state: 'pending' });
  keeper.onEvents([payload]);
  const kept = await keptOf(keeper, payload.episode_id);

  const { from = '', to = '', codec } = kept.clip ?? {};
  expect(codec).toBe('h264');
  expect(Date.parse(from)).toBeLessThanOrEqual(startedAtMs - 1000);
  expect(Date.parse(to)).toBeGreaterThanOrEqual(startedAtMs + 2200);
  const snapshot = await keeper.open(payload.episode_id, 'snapshot');
  expect(Date.parse(kept.snapshot_at ?? '')).toBe(startedAtMs + 600);
  near(await filmedAt(snapshot!.path, 0), seenAt(watched.frames, startedAtMs + 600));
  const clip = await keeper.open(payload.episode_id, 'clip');
  for (const atMs of [startedAtMs - 900, startedAtMs, startedAtMs + 1100])
    near(await filmedAt(clip!.path, (atMs - Date.parse(from)) / 1000), seenAt(watched.frames, atMs));
  expect(keeper.read()).toMatchObject({ made: { clip: 1, snapshot: 1 }, lost: {} });
});

test('a camera that was away leaves a hole in the clip, and what comes after it stands at its time', async () => {
  const keeper = await openKeeper({ beforeMs: 2000 });
  const { camera, watched } = await filmed(keeper);
  const seen = watched.frames.length;
  const segment = watched.frames.at(-1)?.segment ?? 0;
  camera.faults.dropClients();
  await expect.poll(() => watched.frames.at(-1)?.segment).toBeGreaterThan(segment);
  await expect.poll(() => watched.frames.length).toBeGreaterThan(seen + 150);
  const resumed = watched.frames.find((frame) => frame.segment > segment)?.capturedAtMs ?? 0;
  const { payload } = episode(resumed + 3500, 400);

  keeper.onEvents([payload]);
  const kept = await keptOf(keeper, payload.episode_id);

  const clip = await keeper.open(payload.episode_id, 'clip');
  const from = Date.parse(kept.clip?.from ?? '');
  near(await filmedAt(clip!.path, (resumed + 3500 - from) / 1000), seenAt(watched.frames, resumed + 3500));
});

test('of a file the clip begins where it is asked to, whatever its clock says, in every run', async () => {
  const shifted = await timeVideo(folder(), 'shifted.mkv', {
    ...{ seconds: 8, keyframeEvery: 50 },
    output: ['-output_ts_offset', '100'],
  });
  const startTimeMs = Date.UTC(2026, 10, 22, 10);
  for (const url of [video(), shifted]) {
    const keeper = await openKeeper();
    const options = { url, kind: 'file', policy: 'every_frame', startTimeMs } as const;
    const watched = await watch(keeper, options);
    await watched.done;
    const startedAtMs = startTimeMs + 4000;
    const { payload } = episode(startedAtMs, 2000);

    keeper.onEvents([started(payload), payload]);
    await keeper.finish(AbortSignal.timeout(60_000));
    const kept = await keptOf(keeper, payload.episode_id);

    expect(kept).toMatchObject({
      clip: { from: toRfc3339(startedAtMs - 1000), to: toRfc3339(startedAtMs + 3000), codec: 'h264' },
      snapshot_at: toRfc3339(startedAtMs + 1000),
    });
    const snapshot = await keeper.open(payload.episode_id, 'snapshot');
    near(await filmedAt(snapshot!.path, 0), 5000);
    const clip = await keeper.open(payload.episode_id, 'clip');
    near(await filmedAt(clip!.path, 0), 3000);
    near(await filmedAt(clip!.path, 2), 5000);
    const { modifiedAtMs } = (await keeper.open(payload.episode_id, 'clip'))!;
    await watch(keeper, options).then(({ done }) => done);
    keeper.onEvents([started(payload), payload]);
    await keeper.finish(AbortSignal.timeout(60_000));
    expect((await keeper.open(payload.episode_id, 'clip'))!.modifiedAtMs, 'made once').toBe(modifiedAtMs);
  }
});

test('a disk without room keeps no media and no ring, and counts what was given up', async () => {
  const keeper = await openKeeper({ minFreeBytes: 2 ** 60 });
  const { watched } = await filmed(keeper, false);
  const { payload } = episode((watched.frames[0]?.capturedAtMs ?? 0) + 500, 400);

  keeper.onEvents([payload]);

  await expect.poll(() => keeper.read()).toMatchObject({ bytes: 0, lost: { disk_full: 1 } });
  expect(await keeper.find(payload.episode_id)).toMatchObject({ state: 'none' });
});

test('beyond the largest size the oldest media go, and what is too old goes', async () => {
  const dir = await temporaryDirectory();
  const startTimeMs = Date.UTC(2026, 10, 22, 10);
  const make = async (keeper: MediaKeeper, number: number): Promise<string> => {
    const { payload } = episode(startTimeMs + 3000, 500, number);
    keeper.onEvents([payload]);
    await keeper.finish(AbortSignal.timeout(60_000));
    return payload.episode_id;
  };
  const keeper = await openKeeper({ dir });
  await watch(keeper, { url: video(), kind: 'file', policy: 'every_frame', startTimeMs }).then(
    ({ done }) => done,
  );
  const ids = [await make(keeper, 0), await make(keeper, 1), await make(keeper, 2)];
  const all = keeper.read().bytes;

  const smaller = await openKeeper({ dir, maxBytes: all - 1 });
  expect(smaller.read().bytes, 'what an earlier run kept is known').toBe(all);
  await smaller.finish(AbortSignal.timeout(60_000));
  const states = await Promise.all(ids.map(async (id) => (await smaller.find(id)).state));
  expect(states).toEqual(['none', 'kept', 'kept']);

  const older = await openKeeper({ dir, maxAgeMs: 0 });
  await older.finish(AbortSignal.timeout(60_000));
  expect(older.read().bytes).toBe(0);
  const left = await readdir(path.join(dir, 'events'), { recursive: true });
  const files = await Promise.all(left.map((name) => stat(path.join(dir, 'events', name))));
  expect(files.filter((one) => one.isFile())).toEqual([]);
});

/** A camera that has been watched for some seconds. */
async function filmed(
  keeper: MediaKeeper,
  waits = true,
): Promise<{ readonly camera: RtspServer; readonly watched: Watched }> {
  const camera = await startRtspServer({ file: video() });
  onTestFinished(() => camera.stop());
  const stop = new AbortController();
  const running = keeper.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  const watched = await watch(keeper, { url: camera.url, kind: 'live' });
  await expect.poll(() => watched.frames.length).toBeGreaterThan(waits ? 150 : 25);
  return { camera, watched };
}

function episode(startedAtMs: number, durationMs: number, number = 0): { readonly payload: ActionEvent } {
  return actionEvent({
    ...{ episode: number, state: 'ended', stream_id: 'cam', duration_ms: durationMs },
    ...{ started_at: toRfc3339(startedAtMs), ended_at: toRfc3339(startedAtMs + durationMs) },
  });
}

function started({ episode_id, started_at }: ActionEvent): ActionEvent {
  return actionEvent({ stream_id: 'cam', episode_id, started_at }).payload;
}

async function keptOf(keeper: MediaKeeper, episodeId: string): Promise<KeptMedia> {
  await expect.poll(async () => (await keeper.find(episodeId)).state).toBe('kept');
  const found = await keeper.find(episodeId);
  if (found.state !== 'kept') throw new Error(found.note);
  return found.kept;
}

/** The scene repeats after eight seconds. */
function near(actualMs: number, expectedMs: number): void {
  const apart = Math.abs(actualMs - expectedMs) % 8000;
  const what = `${actualMs} is near ${expectedMs}`;
  expect(Math.min(apart, 8000 - apart), what).toBeLessThanOrEqual(NEAR_MS);
}
