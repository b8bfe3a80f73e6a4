import { readFile, stat, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readClips } from '../../support/clip-reader.ts';
import { sendRange, serveFile } from '../../support/file-server.ts';
import { ffmpeg } from '../../support/lavfi.ts';
import { everyFrame, plainVideo } from './plain-video.ts';

const { folder, plain } = plainVideo();

describe('a file that cannot be read', () => {
  it.each([
    [
      'is not there',
      () => Promise.resolve(join(folder(), 'none.mp4')),
      'INPUT_INVALID',
      /none\.mp4: no such file/,
    ],
    ['is a directory', () => Promise.resolve(folder()), 'INPUT_INVALID', /is a directory/],
    ['is empty', () => written('empty.mp4', Buffer.alloc(0)), 'INPUT_INVALID', /is empty \(0 bytes\)/],
    ['is text', () => written('notes.txt', Buffer.from('hello '.repeat(5000))), 'INPUT_INVALID', /text file/],
    [
      'is no video',
      () => written('text.mp4', Buffer.from('hello '.repeat(5000))),
      'INPUT_INVALID',
      /damaged, cut short or no video/,
    ],
    ['lost its index', () => cutShort(plain(), 'cut.mp4'), 'INPUT_INVALID', /damaged, cut short or no video/],
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
    const whole = join(folder(), 'whole.ts');
    await ffmpeg('-i', plain(), '-c', 'copy', whole);
    const reader = readClips({ ...everyFrame, url: await cutShort(whole, 'cut.ts') });
    await reader.done;

    expect(reader.clips.length).toBeGreaterThanOrEqual(8);
    expect(reader.clips.length).toBeLessThanOrEqual(12);
    expect(reader.transitions.at(-1)).toMatchObject({ state: 'ended', reason: 'eof' });
  });
});

describe('a file that breaks off', () => {
  it('delivers what comes before the damage, and says how much of it there was', async () => {
    const fast = join(folder(), 'fast.mp4');
    await ffmpeg('-i', plain(), '-c', 'copy', '-movflags', '+faststart', fast);
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
        const path = join(folder(), `codec-${codec}.ts`);
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

  it('is reported where its codec changes and ffmpeg says nothing of the rest', async () => {
    const parts = await Promise.all(
      (['mpeg2video', 'libx264'] as const).map(async (codec, n) => {
        const path = join(folder(), `silent-${codec}.ts`);
        const source = 'testsrc2=size=320x240:rate=25:duration=4,format=yuv420p';
        await ffmpeg('-f', 'lavfi', '-i', source, '-c:v', codec, '-output_ts_offset', `${4 * n}`, path);
        return readFile(path);
      }),
    );
    const reader = readClips({ ...everyFrame, url: await written('silent.ts', Buffer.concat(parts)) });

    await expect(reader.done).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(
        /read [34]\.\d s of [78]\.\d s \(\d+ %\), then: what follows gives no frame/,
      ) as string,
    });
    expect(reader.clips.length).toBeGreaterThanOrEqual(8);
  });

  it('is whole where only its sound goes on', async () => {
    const path = join(folder(), 'long-sound.ts');
    const [scene, sound] = ['testsrc2=size=320x240:rate=25:duration=4', 'sine=duration=9'];
    await ffmpeg('-f', 'lavfi', '-i', scene, '-f', 'lavfi', '-i', sound, '-pix_fmt', 'yuv420p', path);
    const reader = readClips({ ...everyFrame, url: path });
    await reader.done;

    expect(reader.transitions.at(-1)).toMatchObject({ state: 'ended', reason: 'eof' });
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
  const path = join(folder(), 'served.mp4');
  await ffmpeg('-i', plain(), '-c', 'copy', '-movflags', '+faststart', path);
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
  const path = join(folder(), name);
  await writeFile(path, bytes);
  return path;
}

async function cutShort(path: string, name: string): Promise<string> {
  const { size } = await stat(path);
  return written(name, (await readFile(path)).subarray(0, size / 2));
}

async function sound(): Promise<string> {
  const path = join(folder(), 'sound.wav');
  await ffmpeg('-f', 'lavfi', '-i', 'sine=duration=1', path);
  return path;
}
