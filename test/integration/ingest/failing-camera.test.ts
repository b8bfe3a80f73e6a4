import { readdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { startFaultProxy } from '../../../tools/local/fault-proxy.ts';
import { freePort } from '../../../tools/local/free-port.ts';
import { readerDefaults } from '../../support/clip-reader.ts';
import { count, expectWhole, ffmpegs, liveCameras, reported, SECRET } from './live-camera.ts';

const { camera, open, watch } = liveCameras();

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

async function descriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}
