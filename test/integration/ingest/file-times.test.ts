import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/core/frame.ts';
import { readClips } from '../../support/clip-reader.ts';
import { filmedMs, timeVideo } from '../../support/lavfi.ts';
import { clipsOf, everyFrame, plainVideo, RAW_FRAME_MS } from './plain-video.ts';

const { folder, plain } = plainVideo();

const trafficVideo = join(
  process.env['ACTIONSTREAM_DATA'] ?? '../shared/data',
  'cctv/traffic_camera_vfr.mp4',
);

describe('a file', () => {
  it('gives every frame of the grid once, in order, and ends', async () => {
    const reader = readClips({
      ...everyFrame,
      url: plain(),
      window: { frames: 8, stride: 8, fps: 10, tail: 'drop' },
    });
    await reader.done;
    const frames = reader.clips.flatMap((clip) => clip.frames);

    expect(frames.map(({ index }) => index)).toEqual(Array.from({ length: 80 }, (_, index) => index));
    expect(frames.map(({ ptsUs }) => ptsUs)).toEqual(frames.map(({ index }) => index * 100_000));
    expect(reader.clips.map(({ endUs }) => endUs).slice(0, -1)).toEqual(
      reader.clips.map(({ startUs }) => startUs).slice(1),
    );
    expect(reader.transitions.map(({ state, reason }) => `${state} ${reason}`)).toEqual([
      'connecting start',
      'up first_frame',
      'ended eof',
    ]);
    expect(reader.stream.counters).toMatchObject({ framesDecoded: 80, clipsFormed: 10, clipsDropped: {} });
    expect(reader.stream.clockSource).toBe('media');
  });

  it('comes no faster than it was filmed where it stands in for a camera', async () => {
    const url = await timeVideo(folder(), 'short.mp4', { seconds: 2 });
    const begunMs = Date.now();
    const frames = (await clipsOf(url, { realtime: true })).flatMap((clip) => clip.frames);

    expect(frames).toHaveLength(20);
    // From the start: a machine under load may hand over the first frames late and together.
    expect((frames.at(-1)?.ingestedAtMs ?? 0) - begunMs).toBeGreaterThan(1500);
  });

  it('shows each raw frame at its time, at any sampling rate', async () => {
    for (const fps of [4, 12, 25]) {
      const clips = await clipsOf(plain(), { window: { frames: 4, stride: 4, fps, tail: 'short' } });
      const frames = clips.flatMap((clip) => clip.frames);

      expect(frames).toHaveLength(8 * fps);
      expect(worstMs(frames)).toBeLessThanOrEqual(RAW_FRAME_MS + 10);
    }
  });

  it('repeats raw frames where the file has fewer than the grid', async () => {
    const slow = await timeVideo(folder(), 'slow.mp4', { seconds: 8, fps: 5 });
    const frames = (await clipsOf(slow, { window: { frames: 1, stride: 1, fps: 20, tail: 'drop' } })).flatMap(
      (clip) => clip.frames,
    );

    expect(frames.map(({ ptsUs }) => ptsUs)).toEqual(frames.map(({ index }) => index * 50_000));
    expect(frames.length).toBe(39 * 4 + 1);
    expect(frames[1]?.data).toBe(frames[0]?.data);
  });

  it('takes frames some seconds apart for a slow source, not for time that nobody watched', async () => {
    // 25 frames a second, then one every three seconds, then 25 again.
    const sparse = await timeVideo(folder(), 'sparse.mp4', {
      seconds: 9,
      filter: "select='if(between(t,1,8),not(mod(n,75)),1)'",
    });
    const reader = readClips({ ...everyFrame, url: sparse });
    await reader.done;

    expect(reader.gaps).toEqual([]);
    expect(reader.clips.every(({ segment }) => segment === 0)).toBe(true);
    expect(reader.clips.at(-1)?.endedAtMs).toBeGreaterThan(8500);
  });

  it('samples a variable frame rate by time, not by raw frame number', async () => {
    // 25 raw frames a second, then 5, then 12.5.
    const vfr = await timeVideo(folder(), 'vfr.mkv', {
      seconds: 9,
      filter: "select='if(lt(t,3),1,if(lt(t,6),not(mod(n,5)),not(mod(n,2))))'",
    });
    const frames = (await clipsOf(vfr, { window: { frames: 1, stride: 1, fps: 10, tail: 'drop' } })).flatMap(
      (clip) => clip.frames,
    );

    expect(frames.map(({ ptsUs }) => ptsUs)).toEqual(frames.map(({ index }) => index * 100_000));
    expect(frames.length).toBeGreaterThanOrEqual(89);
    expect(worstMs(frames)).toBeLessThanOrEqual(5 * RAW_FRAME_MS + 10);
    expect(worstMs(frames.filter(({ ptsUs }) => ptsUs < 2_900_000))).toBeLessThanOrEqual(RAW_FRAME_MS + 10);
  });

  if (existsSync(trafficVideo)) {
    it('samples real footage of variable frame rate over its whole length', async () => {
      const clips = await clipsOf(trafficVideo, {
        window: { frames: 10, stride: 10, fps: 10, tail: 'short' },
      });

      expect(clips.every(({ segment }) => segment === 0)).toBe(true);
      expect(clips.at(-1)?.endUs).toBeGreaterThan(34_300_000);
      expect(clips.at(-1)?.endUs).toBeLessThan(34_600_000);
    });
  } else {
    process.stderr.write(`left out: real footage of variable frame rate (${trafficVideo} is not there)\n`);
  }
});

/** Furthest that any raw frame lies from the time its frame claims. */
function worstMs(frames: readonly Frame[]): number {
  return Math.max(...frames.map((frame) => Math.abs(filmedMs(frame) - frame.ptsUs / 1000)));
}
