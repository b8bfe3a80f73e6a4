import { describe, expect, it } from 'vitest';
import { freePort } from '../../../tools/local/free-port.ts';
import type { RtspServer } from '../../../tools/local/rtsp-server.ts';
import { readClips, readerDefaults } from '../../support/clip-reader.ts';
import { startMjpegCamera } from '../../support/mjpeg-camera.ts';
import { expectWhole, ffmpegs, liveCameras, reported, SECRET } from './live-camera.ts';

const { camera, folder, open, video, watch } = liveCameras();

/** So long that a test which waits for it fails. */
const FOREVER_MS = 600_000;

describe('a camera', () => {
  it('gives clips on the wall clock, one after the other', async () => {
    const server = await camera();
    const before = Date.now();
    const reader = watch(server.url);
    await reader.until('five clips', () => reader.clips.length >= 5);

    expect(reader.stream.clockSource).toBe('wallclock');
    expect(reader.clips[0]?.startedAtMs).toBeGreaterThanOrEqual(before);
    expect(reader.clips.map(({ startUs }) => startUs).slice(0, 5)).toEqual([
      0, 400_000, 800_000, 1_200_000, 1_600_000,
    ]);
    expectWhole(reader.clips);
  });

  it('tells first of the time since an earlier run', async () => {
    const server = await camera();
    const watchedUntilMs = Date.now() - 60_000;
    const reader = watch(server.url, { watchedUntilMs });
    await reader.until('clips', () => reader.clips.length >= 1);

    expect(reader.said).toEqual(['connecting', 'gap', 'up']);
    const toMs = reader.clips[0]?.startedAtMs;
    expect(reader.gaps).toEqual([{ streamId: 'cam', fromMs: watchedUntilMs, toMs, reason: 'not_running' }]);
  });

  it('that sends raw frames without times over HTTP gives clips on the wall clock', async () => {
    const mjpeg = await startMjpegCamera(video(), folder());
    open.push(mjpeg);
    const reader = watch(mjpeg.url);
    await reader.until('clips', () => reader.clips.length >= 12, 60_000);

    expect(reported(reader)).toEqual(['connecting start', 'up first_frame']);
    expect(reader.stream.counters.clockFaults).toEqual({ no_times: 1 });
    expect(reader.gaps).toEqual([]);
    // No frame is dated after it came; how long one is under way is the machine's affair.
    for (const { frames, endedAtMs } of reader.clips) {
      const { ingestedAtMs = NaN, uncertaintyMs = NaN } = frames.at(-1) ?? {};
      expect(endedAtMs - ingestedAtMs).toBeLessThanOrEqual(uncertaintyMs + 100);
    }
    expectWhole(reader.clips);
  });

  it.each(['basic', 'digest'] as const)('lets us in with any printable password (%s)', async (scheme) => {
    const everything = String.fromCharCode(
      ...Array.from({ length: 0x7e - 0x20 + 1 }, (_, index) => 0x20 + index),
    );
    // All of them in two passwords, because ffmpeg keeps no more than 127 bytes.
    for (const password of [everything.slice(0, 40), everything.slice(40)]) {
      const server = await camera({ auth: { username: 'admin', password, scheme } });
      const reader = watch(server.url, { username: 'admin', password });
      await reader.until('up', () => reported(reader).includes('up first_frame'));
    }
  });

  it('keeps the password out of the process list', async () => {
    const server = await camera({ auth: { username: 'admin', password: SECRET, scheme: 'digest' } });
    const reader = watch(server.url, { username: 'admin', password: SECRET });
    await reader.until('up', () => reported(reader).includes('up first_frame'));

    const shown = (await ffmpegs()).map(({ command }) => command);
    expect(shown.some((command) => command.includes('-i pipe:0'))).toBe(true);
    expect(shown.join('\n')).not.toContain(SECRET);
  });

  it('survives lost packets, and complains no more than once a second', async () => {
    const server = await camera();
    const before = performance.now();
    const reader = watch(server.url);
    await reader.until('up', () => reported(reader).includes('up first_frame'));

    server.faults.loss(0.1);
    const seen = reader.clips.length;
    await reader.until('more clips', () => reader.clips.length >= seen + 8);

    const complaints = reader.logged.filter((line) => line.startsWith('ffmpeg complains'));
    expect(complaints.length).toBeLessThanOrEqual((performance.now() - before) / 1000 + 2);
    expectWhole(reader.clips);
  });

  it('drops clips of a reader that is too slow, and counts them', async () => {
    const server = await camera();
    let resume = (): void => undefined;
    const pause = new Promise<void>((resolve) => (resume = resolve));
    const reader = readClips(
      {
        kind: 'live',
        url: server.url,
        queueClips: 2,
        window: { ...readerDefaults.window, frames: 1, stride: 1 },
      },
      () => pause,
    );
    open.push({ [Symbol.asyncDispose]: () => reader.stop() });

    await expect.poll(() => reader.stream.counters.clipsDropped['freshest'] ?? 0).toBeGreaterThan(5);
    resume();

    expect(reader.clips).toHaveLength(1);
    expect(reported(reader)).toEqual(['connecting start', 'up first_frame']);
  });
});

describe('an abort', () => {
  it.each([
    ['while frames come', () => undefined],
    [
      'while the camera is stalled',
      (server: RtspServer) => {
        server.faults.stall();
      },
    ],
  ])('ends the stream on an abort %s', async (_, fault) => {
    const server = await camera();
    const reader = watch(server.url);
    await reader.until('up', () => reported(reader).includes('up first_frame'));
    const serverOnly = (await ffmpegs()).length - 2;
    fault(server);

    await reader.stop();

    expect(reader.transitions.at(-1)).toMatchObject({ state: 'ended', reason: 'aborted' });
    await expect.poll(async () => (await ffmpegs()).length).toBe(serverOnly);
  });

  it('ends a stream that waits to try again', async () => {
    const port = await freePort();
    const reader = watch(`rtsp://127.0.0.1:${port}/cam`, {
      reconnect: { firstMs: FOREVER_MS, maxMs: FOREVER_MS, maxAttempts: Infinity },
    });
    await reader.until('down', () => reported(reader).includes('down unreachable'));

    await reader.stop();

    expect(reader.transitions.at(-1)).toMatchObject({ state: 'ended', reason: 'aborted' });
  });
});
