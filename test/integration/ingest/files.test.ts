import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Clip, Frame } from '../../../src/core/frame.ts';
import { readClips } from '../../support/clip-reader.ts';
import { sendRange, serveFile } from '../../support/file-server.ts';
import { ffmpeg, filmedMs, timeVideo } from '../../support/lavfi.ts';
import { descendantsOf } from '../../support/processes.ts';

const trafficVideo = join(
  process.env['ACTIONSTREAM_DATA'] ?? '../shared/data',
  'cctv/traffic_camera_vfr.mp4',
);

let folder: string;
let plain: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingest-files-'));
  plain = await timeVideo(folder, 'plain.mp4', { seconds: 8 });
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Distance of two raw frames of `plain`: none lies further from its slot. */
const RAW_FRAME_MS = 40;
const everyFrame = { kind: 'file', policy: 'every_frame' } as const;

async function clipsOf(
  url: string,
  options: Parameters<typeof readClips>[0] | object = {},
): Promise<readonly Clip[]> {
  const reader = readClips({ ...everyFrame, ...options, url });
  await reader.done;
  return reader.clips;
}

/** Furthest that any raw frame lies from the time its frame claims. */
function worstMs(frames: readonly Frame[]): number {
  return Math.max(...frames.map((frame) => Math.abs(filmedMs(frame) - frame.ptsUs / 1000)));
}

describe('a file', () => {
  it('gives every frame of the grid once, in order, and ends', async () => {
    const reader = readClips({
      ...everyFrame,
      url: plain,
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
    const url = await timeVideo(folder, 'short.mp4', { seconds: 2 });
    const frames = (await clipsOf(url, { realtime: true })).flatMap((clip) => clip.frames);

    expect(frames).toHaveLength(20);
    const received = frames.map(({ ingestedAtMs }) => ingestedAtMs);
    expect((received.at(-1) ?? 0) - (received[0] ?? 0)).toBeGreaterThan(1500);
  });

  it('shows each raw frame at its time, at any sampling rate', async () => {
    for (const fps of [4, 12, 25]) {
      const clips = await clipsOf(plain, { window: { frames: 4, stride: 4, fps, tail: 'short' } });
      const frames = clips.flatMap((clip) => clip.frames);

      expect(frames).toHaveLength(8 * fps);
      expect(worstMs(frames)).toBeLessThanOrEqual(RAW_FRAME_MS + 10);
    }
  });

  it('repeats raw frames where the file has fewer than the grid', async () => {
    const slow = await timeVideo(folder, 'slow.mp4', { seconds: 8, fps: 5 });
    const frames = (await clipsOf(slow, { window: { frames: 1, stride: 1, fps: 20, tail: 'drop' } })).flatMap(
      (clip) => clip.frames,
    );

    expect(frames.map(({ ptsUs }) => ptsUs)).toEqual(frames.map(({ index }) => index * 50_000));
    expect(frames.length).toBe(39 * 4 + 1);
    expect(frames[1]?.data).toBe(frames[0]?.data);
  });

  it('takes frames some seconds apart for a slow source, not for time that nobody watched', async () => {
    // 25 frames a second, then one every three seconds, then 25 again.
    const sparse = await timeVideo(folder, 'sparse.mp4', {
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
    const vfr = await timeVideo(folder, 'vfr.mkv', {
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

  it('starts a segment where its clock jumps or steps back, and no clip spans it', async () => {
    const parts = await Promise.all(
      [0, 100, 0].map(async (offset, part) => {
        const path = join(folder, `part-${part}.ts`);
        await ffmpeg('-i', plain, '-c', 'copy', '-t', '2', '-output_ts_offset', String(offset), path);
        return readFile(path);
      }),
    );
    const jumping = join(folder, 'jumping.ts');
    await writeFile(jumping, Buffer.concat(parts));

    const reader = readClips({
      ...everyFrame,
      url: jumping,
      window: { frames: 8, stride: 4, fps: 10, tail: 'short' },
      startTimeMs: 5000,
    });
    await reader.done;

    expect(new Set(reader.clips.map(({ segment }) => segment))).toEqual(new Set([0, 1, 2]));
    for (const { frames, segment, startUs, endUs, startedAtMs, endedAtMs } of reader.clips) {
      expect(frames.every((frame) => frame.segment === segment)).toBe(true);
      expect(endUs).toBeGreaterThan(startUs);
      expect(endedAtMs).toBeGreaterThan(startedAtMs);
    }
    const frames = reader.clips.flatMap((clip) => clip.frames).sort((a, b) => a.index - b.index);
    const captured = frames.map(({ capturedAtMs }) => capturedAtMs);
    expect(captured).toEqual([...captured].sort((a, b) => a - b));
    expect(captured[0]).toBe(5000);
    // The hole is a gap, reported before the state that ends it; where the clock
    // stepped back the file simply goes on.
    expect(reader.said).toEqual(['connecting', 'up', 'gap', 'up', 'up', 'ended']);
    expect(reader.gaps).toHaveLength(1);
    expect((reader.gaps[0]?.toMs ?? 0) - (reader.gaps[0]?.fromMs ?? 0)).toBeGreaterThan(97_000);
  });

  it('starts a segment where the frame changes its size, and loses none', async () => {
    const parts = await Promise.all(
      ['32:32', '96:64'].map(async (size) => {
        const path = join(folder, `size-${size.replace(':', 'x')}.ts`);
        await ffmpeg(
          '-i',
          plain,
          '-t',
          '2',
          '-vf',
          `scale=${size}`,
          '-c:v',
          'libx264',
          '-preset',
          'ultrafast',
          path,
        );
        return readFile(path);
      }),
    );
    const changing = await written('changing.ts', Buffer.concat(parts));
    const clips = await clipsOf(changing, { window: { frames: 5, stride: 5, fps: 10, tail: 'drop' } });

    expect(clips.map(({ segment }) => segment)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  });

  it('reads a name that looks like an option', async () => {
    const odd = join(folder, '-y cam:1.mp4');
    await copyFile(plain, odd);

    expect(await clipsOf(odd)).toHaveLength(20);
  });

  it('every_frame: waits for a slow reader, holds little, and drops nothing', async () => {
    let resume = (): void => undefined;
    let paused: Promise<void> | undefined = new Promise<void>((resolve) => (resume = resolve));
    const window = { frames: 5, stride: 5, fps: 25, tail: 'drop' } as const;
    const reader = readClips(
      { ...everyFrame, url: plain, window, queueClips: 2, width: 512, height: 512 },
      async () => paused,
    );

    await reader.until('first clip', () => reader.clips.length === 1);
    const held = await settled(() => reader.stream.counters.framesDecoded);
    // Two clips in the queue, one with the reader, one being made, and the frame that is being
    // read. Where the times of frames come late, 64 MiB of frames at most wait for them.
    const waiting = Math.floor(2 ** 26 / (512 * 512 * 3));
    expect(held).toBeLessThanOrEqual(5 * 4 + 2 + waiting);

    paused = undefined;
    resume();
    await reader.done;
    expect(reader.stream.counters).toMatchObject({ framesDecoded: 200, clipsFormed: 40, clipsDropped: {} });
    expect(reader.clips).toHaveLength(40);
  });

  it('freshest: never waits, keeps the newest clips and counts the others', async () => {
    let resume = (): void => undefined;
    const pause = new Promise<void>((resolve) => (resume = resolve));
    const reader = readClips({ ...everyFrame, url: plain, policy: 'freshest', queueClips: 3 }, () => pause);

    await reader.until('end of file', () => reader.transitions.at(-1)?.state === 'ended');
    resume();
    await reader.done;

    const { clipsFormed, clipsDropped } = reader.stream.counters;
    expect(clipsFormed).toBe(20);
    expect(reader.clips.length + (clipsDropped['freshest'] ?? 0)).toBe(20);
    expect(reader.clips.slice(-3).map(({ sequence }) => sequence)).toEqual([17, 18, 19]);
    // What no clip covers is a gap, and after it the state is reported again.
    const covered = [...reader.clips.map((clip) => [clip.startedAtMs, clip.endedAtMs] as const)];
    const reported = reader.gaps.map(({ fromMs, toMs }) => [fromMs, toMs] as const);
    const both = [...covered, ...reported].sort(([a], [b]) => a - b);
    expect(both.map(([from]) => from)).toEqual([0, ...both.slice(0, -1).map(([, to]) => to)]);
    expect(reader.gaps.every(({ reason }) => reason === 'freshest')).toBe(true);
    expect(reader.said.slice(-2)).toEqual(['gap', 'ended']);
  });

  it('crops pixels that are not square by the shape of the display', async () => {
    // A circle on a display of 2:1: stored on half of its columns, each twice as wide.
    const dot = "geq=lum='if(lt(hypot(X-W/2,Y-H/2),40),235,16)':cb=128:cr=128";
    const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '4', '-bf', '0'];
    const [square, wide] = [join(folder, 'square.mp4'), join(folder, 'wide.mp4')];
    const source = `nullsrc=size=256x128:rate=10:duration=2,format=yuv420p,${dot}`;
    await ffmpeg('-f', 'lavfi', '-i', source, ...encode, square);
    await ffmpeg('-f', 'lavfi', '-i', `${source},scale=128:128,setsar=2`, ...encode, wide);
    const seen = async (url: string): Promise<Uint8Array> => {
      const reader = readClips({ ...everyFrame, url, fit: 'crop' });
      await reader.done;
      return reader.clips[0]!.frames[0]!.data;
    };

    const [expected, found] = [await seen(square), await seen(wide)];

    const far = found.filter((value, index) => Math.abs(value - expected[index]!) > 60).length;
    expect(far / found.length).toBeLessThan(0.02);
  });

  it('stops on an abort, before its end, with every child gone', async () => {
    const reader = readClips(
      { ...everyFrame, url: plain, queueClips: 1 },
      () => new Promise((resolve) => setTimeout(resolve, 50)),
    );
    await reader.until('first clip', () => reader.clips.length === 1);

    await reader.stop();

    expect(reader.transitions.at(-1)).toMatchObject({ state: 'ended', reason: 'aborted' });
    await expect.poll(() => descendantsOf(process.pid).then(ffmpegs)).toEqual([]);
  });
});

describe('a file that cannot be read', () => {
  it.each([
    [
      'is not there',
      () => Promise.resolve(join(folder, 'none.mp4')),
      'INPUT_INVALID',
      /none\.mp4: no such file/,
    ],
    ['is a directory', () => Promise.resolve(folder), 'INPUT_INVALID', /is a directory/],
    ['is empty', () => written('empty.mp4', Buffer.alloc(0)), 'INPUT_INVALID', /is empty \(0 bytes\)/],
    ['is text', () => written('notes.txt', Buffer.from('hello '.repeat(5000))), 'INPUT_INVALID', /text file/],
    [
      'is no video',
      () => written('text.mp4', Buffer.from('hello '.repeat(5000))),
      'INPUT_INVALID',
      /damaged, cut short or no video/,
    ],
    ['lost its index', () => cutShort(plain, 'cut.mp4'), 'INPUT_INVALID', /damaged, cut short or no video/],
    ['holds only sound', sound, 'SOURCE_NO_VIDEO', /matches no streams.*video track/],
  ] as const)('throws at once where it %s', async (_, make, code, message) => {
    const reader = readClips({ ...everyFrame, url: await make() });

    await expect(reader.done).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
    expect(reader.transitions.at(-1)).toMatchObject({ state: 'ended', reason: 'error' });
    expect(reader.clips).toEqual([]);
  });

  it('delivers what comes before the damage of a file that was cut short, and says so', async () => {
    const whole = join(folder, 'whole.ts');
    await ffmpeg('-i', plain, '-c', 'copy', whole);
    const reader = readClips({ ...everyFrame, url: await cutShort(whole, 'cut.ts') });
    await reader.done;

    expect(reader.clips.length).toBeGreaterThanOrEqual(8);
    expect(reader.clips.length).toBeLessThanOrEqual(12);
    expect(reader.transitions.at(-1)).toMatchObject({ state: 'ended', reason: 'eof' });
  });
});

describe('a file that breaks off', () => {
  it('delivers what comes before the damage, and says how much of it there was', async () => {
    const fast = join(folder, 'fast.mp4');
    await ffmpeg('-i', plain, '-c', 'copy', '-movflags', '+faststart', fast);
    const reader = readClips({ ...everyFrame, url: await cutShort(fast, 'cut-fast.mp4') });

    await expect(reader.done).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/read \d\.\d s of 8\.0 s \(\d+ %\), then: .*partial file/) as string,
    });
    expect(reader.clips.length).toBeGreaterThanOrEqual(5);
    expect(reader.clips.length).toBeLessThanOrEqual(15);
  });

  it('is reported where its codec changes and the rest cannot be decoded', async () => {
    const parts = await Promise.all(
      ['libx264', 'mpeg4'].map(async (codec) => {
        const path = join(folder, `codec-${codec}.ts`);
        const source = 'testsrc2=size=320x240:rate=25:duration=4,format=yuv420p';
        await ffmpeg('-f', 'lavfi', '-i', source, '-c:v', codec, '-g', '25', path);
        return readFile(path);
      }),
    );
    const reader = readClips({ ...everyFrame, url: await written('codecs.ts', Buffer.concat(parts)) });

    await expect(reader.done).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/read [34]\.\d s.*cannot be decoded.*another codec/) as string,
    });
    expect(reader.clips.length).toBeGreaterThanOrEqual(8);
  });

  it('is read on from where its connection broke, if the server can', async () => {
    const bytes = await faststart();
    const server = await serveFile((request, response, count) => {
      if (count === 1) breakOff(bytes, response);
      else sendRange(bytes, request, response);
    });
    const reader = readClips({ ...everyFrame, url: server.url('v.mp4') });
    await reader.done;

    expect(reader.clips).toHaveLength(20);
    expect(server.ranges.at(-1)).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('is an error that may pass where the server cannot', async () => {
    const bytes = await faststart();
    const server = await serveFile((_, response) => {
      breakOff(bytes, response);
    });
    const reader = readClips({ ...everyFrame, url: server.url('v.mp4') });

    await expect(reader.done).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: expect.stringMatching(
        /read \d\.\d s, then: .*ends prematurely at \d+, should be \d+/,
      ) as string,
    });
    expect(reader.clips.length).toBeGreaterThanOrEqual(5);
    expect(reader.clips.length).toBeLessThanOrEqual(15);
  });
});

async function faststart(): Promise<Buffer> {
  const path = join(folder, 'served.mp4');
  await ffmpeg('-i', plain, '-c', 'copy', '-movflags', '+faststart', path);
  return readFile(path);
}

/** Promises the whole, sends half, and hangs up. */
function breakOff(bytes: Buffer, response: ServerResponse): void {
  response.writeHead(200, { 'content-length': bytes.length, 'accept-ranges': 'bytes' });
  response.write(bytes.subarray(0, bytes.length >> 1), () => {
    setTimeout(() => response.destroy(), 100);
  });
}

async function written(name: string, bytes: Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

async function cutShort(path: string, name: string): Promise<string> {
  const { size } = await stat(path);
  return written(name, (await readFile(path)).subarray(0, size / 2));
}

async function sound(): Promise<string> {
  const path = join(folder, 'sound.wav');
  await ffmpeg('-f', 'lavfi', '-i', 'sine=duration=1', path);
  return path;
}

/** The value once it has not changed for half a second. */
async function settled(read: () => number): Promise<number> {
  for (let last = NaN; ;) {
    const value = read();
    if (value === last) return value;
    last = value;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function ffmpegs(processes: readonly { readonly command: string }[]): string[] {
  return processes
    .map(({ command }) => command)
    .filter((command) => /ffmpeg|actionstream-guard/.test(command));
}
