import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { Clip } from '../../../src/core/frame.ts';
import { startFaultProxy } from '../../../tools/local/fault-proxy.ts';
import { freePort } from '../../../tools/local/free-port.ts';
import {
  startRtspServer,
  type RtspServer,
  type RtspServerOptions,
} from '../../../tools/local/rtsp-server.ts';
import { readClips, readerDefaults, type ClipReader } from '../../support/clip-reader.ts';
import { timeVideo } from '../../support/lavfi.ts';
import { startMjpegCamera } from '../../support/mjpeg-camera.ts';
import { descendantsOf, type RunningProcess } from '../../support/processes.ts';

const SECRET = 'opensesame';
/** So long that a test which waits for it fails. */
const FOREVER_MS = 600_000;

let folder: string;
let video: string;
const open: AsyncDisposable[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingest-live-'));
  video = await timeVideo(folder, 'scene.mp4', { seconds: 6 });
});

afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource[Symbol.asyncDispose]();
  // Nothing outlives its owner: no ffmpeg, no watcher.
  await expect.poll(ffmpegs).toEqual([]);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function camera(options: Partial<RtspServerOptions> = {}): Promise<RtspServer> {
  const server = await startRtspServer({ file: video, ...options });
  open.push(server);
  return server;
}

function watch(url: string, options: Partial<Parameters<typeof readClips>[0]> = {}): ClipReader {
  const reader = readClips({ kind: 'live', url, ...options });
  open.push({
    async [Symbol.asyncDispose]() {
      await reader.stop().catch(() => undefined);
    },
  });
  return reader;
}

const reported = ({ transitions }: ClipReader): string[] =>
  transitions.map(({ state, reason }) => `${state} ${reason}`);
const count = (reader: ClipReader, what: string): number =>
  reported(reader).filter((line) => line === what).length;

function expectWhole(clips: readonly Clip[]): void {
  let last = -Infinity;
  for (const { frames, segment, startedAtMs, endedAtMs } of clips) {
    expect(frames.every((frame) => frame.segment === segment)).toBe(true);
    expect(startedAtMs).toBeGreaterThanOrEqual(last);
    expect(endedAtMs).toBeGreaterThan(startedAtMs);
    last = endedAtMs - 1;
  }
}

async function ffmpegs(): Promise<readonly RunningProcess[]> {
  const family = await descendantsOf(process.pid);
  return family.filter(({ command }) => /ffmpeg|actionstream-guard/.test(command));
}

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
    const mjpeg = await startMjpegCamera(video, folder);
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

describe('a camera that fails', () => {
  it('comes back after it was killed and started again', async () => {
    const first = await camera();
    const reader = watch(first.url);
    await reader.until('clips', () => reader.clips.length >= 2);

    await first.stop();
    open.splice(open.indexOf(first), 1);
    await reader.until('a failed try', () => reported(reader).includes('down unreachable'));
    await camera({ port: first.port });
    await reader.until('clips of the new segment', () => reader.clips.at(-1)?.segment === 1);

    expect(reported(reader).slice(0, 3)).toEqual(['connecting start', 'up first_frame', 'down exit']);
    expect(reader.stream.counters.reconnects['exit']).toBe(1);
    expect(reader.gaps).toHaveLength(1);
    const [gap] = reader.gaps;
    const lastBefore = reader.clips.findLast(({ segment }) => segment === 0);
    const firstAfter = reader.clips.find(({ segment }) => segment === 1);
    expect(gap?.fromMs).toBeGreaterThanOrEqual((lastBefore?.endedAtMs ?? NaN) - 101);
    expect(gap?.toMs).toBe(firstAfter?.startedAtMs);
    expect(reader.said.slice(-2)).toEqual(['gap', 'up']);
    expectWhole(reader.clips);
  });

  it('is cut off and tried again when it stalls', async () => {
    const server = await camera();
    const reader = watch(server.url, { noFrameTimeoutMs: 1000 });
    await reader.until('clips', () => reader.clips.length >= 1);

    server.faults.stall();
    await reader.until('stalled', () => reported(reader).includes('down no_frames'));
    server.faults.resume();
    await reader.until('clips again', () => (reader.clips.at(-1)?.segment ?? 0) >= 1);

    expect(reported(reader)).toContain('stalled no_frames');
    expect(reader.gaps[0]?.reason).toBe('no_frames');
    expectWhole(reader.clips);
  });

  it('notices a network that swallows everything, and goes on when it is back', async () => {
    const server = await camera();
    const proxy = await startFaultProxy({ targetPort: server.port });
    open.push(proxy);
    const reader = watch(server.url.replace(String(server.port), String(proxy.port)), {
      noFrameTimeoutMs: 1000,
    });
    await reader.until('clips', () => reader.clips.length >= 1);

    proxy.stall();
    await reader.until('stalled', () => reported(reader).includes('stalled no_frames'));
    proxy.down();
    proxy.resume();
    await reader.until('a failed try', () => count(reader, 'connecting reconnect') >= 2);
    proxy.up();
    await reader.until('clips again', () => (reader.clips.at(-1)?.segment ?? 0) >= 1);
  });

  it('is called stalled within its time-out, also at the default and before the first frame', async () => {
    const timeouts = {
      noFrameTimeoutMs: 10_000,
      reconnect: { firstMs: 60_000, maxMs: 60_000, maxAttempts: 2 },
    };
    const stalls = await camera();
    const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    open.push({
      async [Symbol.asyncDispose]() {
        silent.close();
        await once(silent, 'close');
      },
    });
    const { port } = silent.address() as AddressInfo;
    const [running, mute] = [watch(stalls.url, timeouts), watch(`rtsp://127.0.0.1:${port}/cam`, timeouts)];
    await running.until('clips', () => running.clips.length >= 1);
    stalls.faults.stall();

    for (const reader of [running, mute]) {
      await reader.until('down', () => reader.said.includes('down'), 60_000);
      expect(reported(reader).slice(-2)).toEqual(['stalled no_frames', 'down no_frames']);
    }
    const times = mute.transitions.map(({ atMs }) => atMs);
    // Timers and the wall clock round on their own.
    expect((times[1] ?? NaN) - (times[0] ?? NaN)).toBeGreaterThan(9900);
  });

  it('keeps trying with a wrong password, says so once a try, and never shows it', async () => {
    const server = await camera({ auth: { username: 'admin', password: 'right', scheme: 'digest' } });
    const reader = watch(server.url, { username: 'admin', password: SECRET });
    await reader.until('three tries', () => count(reader, 'down unauthorized') >= 3);

    const tries = count(reader, 'connecting start') + count(reader, 'connecting reconnect');
    expect(reader.logged.filter((line) => /Unauthorized/.test(line)).length).toBeLessThanOrEqual(tries);
    expect(JSON.stringify([reader.logged, reader.transitions])).not.toContain(SECRET);
    expect(reader.stream.counters.reconnects['unauthorized']).toBeGreaterThanOrEqual(2);
  });

  it('gives up with a typed error where tries are limited', async () => {
    const server = await camera({ auth: { username: 'admin', password: 'right', scheme: 'basic' } });
    const closedPort = await freePort();
    const reconnect = { firstMs: 10, maxMs: 10, maxAttempts: 2 };
    const cases = [
      [server.url.replace('//', `//admin:${SECRET}@`), 'SOURCE_UNAUTHORIZED', 'unauthorized'],
      [`${server.url.replace('//', '//admin:right@')}/other`, 'SOURCE_NOT_FOUND', 'not_found'],
      [`rtsp://127.0.0.1:${closedPort}/cam`, 'SOURCE_UNREACHABLE', 'unreachable'],
      ['rtsp://no-such-host.invalid/cam', 'SOURCE_UNREACHABLE', 'unreachable'],
    ] as const;
    for (const [url, code, reason] of cases) {
      const reader = watch(url, { reconnect });

      await expect(reader.done).rejects.toMatchObject({
        code,
        message: expect.not.stringContaining(SECRET) as string,
      });
      expect(count(reader, `down ${reason}`)).toBe(2);
      expect(reader.transitions.at(-1)).toMatchObject({ state: 'ended', reason: 'error' });
    }
  });

  it('answers 503 for a while and is served again', async () => {
    const server = await camera();
    server.faults.refuse(503);
    const reader = watch(server.url);
    await reader.until('refused', () => count(reader, 'down unreachable') >= 2);
    server.faults.refuse(undefined);

    await reader.until('clips', () => reader.clips.length >= 1);
  });

  it('leaves descriptors and children where they were after 20 disconnects', async () => {
    const server = await camera();
    const reader = watch(server.url, { window: { ...readerDefaults.window, frames: 1, stride: 1 } });
    await reader.until('up', () => count(reader, 'up first_frame') === 1);
    const before = { descriptors: await descriptors(), children: (await ffmpegs()).length };

    for (let disconnects = 1; disconnects <= 20; disconnects += 1) {
      server.faults.dropClients();
      await reader.until('up again', () => count(reader, 'up first_frame') === 1 + disconnects);
    }

    await expect.poll(async () => (await ffmpegs()).length).toBe(before.children);
    await expect.poll(descriptors).toBeLessThanOrEqual(before.descriptors + 1);
    expect(reader.stream.counters.reconnects['exit']).toBe(20);
    expectWhole(reader.clips);
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

async function descriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}
