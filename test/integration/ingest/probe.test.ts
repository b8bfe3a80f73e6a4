import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { findFfmpeg, probeSource } from '../../../src/ingest/index.ts';
import { startRtspServer } from '../../../tools/local/rtsp-server.ts';
import { ffmpeg, timeVideo } from '../../support/lavfi.ts';
import { startMjpegCamera } from '../../support/mjpeg-camera.ts';

const never = new AbortController().signal;

let folder: string;
let video: string;
let ffmpegPath: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingest-probe-'));
  video = await timeVideo(folder, 'scene.mp4', { seconds: 4, fps: 20, keyframeEvery: 10 });
  ({ path: ffmpegPath } = await findFfmpeg(process.env));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('probeSource', () => {
  it('reports what a file holds', async () => {
    await expect(probeSource({ url: video, ffmpegPath }, never)).resolves.toEqual({
      source: video,
      codec: 'h264',
      width: 64,
      height: 64,
      declaredFps: 20,
      measuredFps: 20,
      variableFrameRate: false,
      keyframeIntervalMs: 500,
      durationMs: 4000,
    });
  });

  it('reports what a camera sends, and no password', async () => {
    const server = await startRtspServer({
      file: video,
      auth: { username: 'u', password: 'secret', scheme: 'digest' },
    });
    onTestFinished(() => server.stop());

    const report = await probeSource(
      { url: server.url, username: 'u', password: 'secret', ffmpegPath, seconds: 2 },
      never,
    );

    expect(report).toMatchObject({ codec: 'h264', width: 64, height: 64, keyframeIntervalMs: 500 });
    expect(report.measuredFps).toBeCloseTo(20, 0);
    expect(JSON.stringify(report)).not.toContain('secret');
  });

  it('measures an HTTP camera that sends no times by what arrives', async () => {
    await using camera = await startMjpegCamera(video, folder);

    const report = await probeSource({ url: camera.url, ffmpegPath }, never);

    expect(report).toMatchObject({ codec: 'mjpeg', width: 64, height: 64 });
    expect(report.measuredFps).toBeCloseTo(5, 0);
  });

  it('throws typed errors', async () => {
    const server = await startRtspServer({
      file: video,
      auth: { username: 'u', password: 'secret', scheme: 'basic' },
    });
    onTestFinished(() => server.stop());

    await expect(probeSource({ url: join(folder, 'none.mp4'), ffmpegPath }, never)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
    await expect(
      probeSource({ url: server.url, username: 'u', password: 'other', ffmpegPath }, never),
    ).rejects.toMatchObject({
      code: 'SOURCE_UNAUTHORIZED',
    });
    await expect(probeSource({ url: 'rtsp://127.0.0.1:1/cam', ffmpegPath }, never)).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
    });
    server.faults.stall();
    await expect(
      probeSource({ url: server.url, username: 'u', password: 'secret', ffmpegPath, timeoutMs: 1500 }, never),
    ).rejects.toMatchObject({ code: 'SOURCE_STALLED' });
    await expect(probeSource({ url: video, ffmpegPath: '/nowhere/ffmpeg' }, never)).rejects.toMatchObject({
      code: 'FFMPEG_MISSING',
    });
    await expect(probeSource({ url: video, ffmpegPath }, AbortSignal.abort())).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

describe('what a source is, in notes', () => {
  it.each<[string, string, readonly string[], RegExp]>([
    ['a still', 'still.png', ['-frames:v', '1'], /^a still image: one frame/],
    [
      'a raw stream',
      'raw.h264',
      ['-c:v', 'libx264', '-bf', '0'],
      /^a raw stream without times: its frame rate is a guess/,
    ],
    [
      'few key frames',
      'gop.mp4',
      ['-c:v', 'libx264', '-g', '1000'],
      /^more than \d\.\d s between key frames/,
    ],
    [
      'pixels that are not square',
      'sar.mp4',
      ['-vf', 'setsar=16/11', '-c:v', 'libx264', '-g', '5'],
      /not square \(16:11\)/,
    ],
  ])('%s', async (_, name, options, says) => {
    const url = join(folder, name);
    await ffmpeg(
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=64x64:rate=10:duration=6',
      '-pix_fmt',
      'yuv420p',
      ...options,
      url,
    );

    const { notes } = await probeSource({ url, ffmpegPath, seconds: 6 }, never);

    expect(notes).toEqual([expect.stringMatching(says)]);
  });
});
