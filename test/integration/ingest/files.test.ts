import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readClips } from '../../support/clip-reader.ts';
import { ffmpeg } from '../../support/lavfi.ts';
import { descendantsOf } from '../../support/processes.ts';
import { clipsOf, everyFrame, plainVideo } from './plain-video.ts';

const { folder, plain } = plainVideo();

describe('a file', () => {
  it('starts a segment where its clock jumps or steps back, and no clip spans it', async () => {
    const parts = await Promise.all(
      [0, 100, 0].map(async (offset, part) => {
        const path = join(folder(), `part-${part}.ts`);
        await ffmpeg('-i', plain(), '-c', 'copy', '-t', '2', '-output_ts_offset', String(offset), path);
        return readFile(path);
      }),
    );
    const jumping = join(folder(), 'jumping.ts');
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
        const path = join(folder(), `size-${size.replace(':', 'x')}.ts`);
        await ffmpeg(
          '-i',
          plain(),
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
    const changing = join(folder(), 'changing.ts');
    await writeFile(changing, Buffer.concat(parts));
    const clips = await clipsOf(changing, { window: { frames: 5, stride: 5, fps: 10, tail: 'drop' } });

    expect(clips.map(({ segment }) => segment)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  });

  it('reads a name that looks like an option', async () => {
    const odd = join(folder(), '-y cam:1.mp4');
    await copyFile(plain(), odd);

    expect(await clipsOf(odd)).toHaveLength(20);
  });

  it('every_frame: waits for a slow reader, holds little, and drops nothing', async () => {
    let resume = (): void => undefined;
    let paused: Promise<void> | undefined = new Promise<void>((resolve) => (resume = resolve));
    const window = { frames: 5, stride: 5, fps: 25, tail: 'drop' } as const;
    const reader = readClips(
      { ...everyFrame, url: plain(), window, queueClips: 2, width: 512, height: 512 },
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
    const reader = readClips({ ...everyFrame, url: plain(), policy: 'freshest', queueClips: 3 }, () => pause);

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
    const [square, wide] = [join(folder(), 'square.mp4'), join(folder(), 'wide.mp4')];
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
      { ...everyFrame, url: plain(), queueClips: 1 },
      () => new Promise((resolve) => setTimeout(resolve, 50)),
    );
    await reader.until('first clip', () => reader.clips.length === 1);

    await reader.stop();

    expect(reader.transitions.at(-1)).toMatchObject({ state: 'ended', reason: 'aborted' });
    await expect.poll(() => descendantsOf(process.pid).then(ffmpegs)).toEqual([]);
  });
});

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
