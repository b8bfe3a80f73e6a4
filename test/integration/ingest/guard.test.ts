import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { guardArguments, GUARD_SHELL, holdGuard } from '../../../src/processes/process-guard.ts';
import { startRtspServer } from '../../../tools/local/rtsp-server.ts';
import { timeVideo } from '../../support/lavfi.ts';
import { descendantsOf, stillRunning } from '../../support/processes.ts';

const fixture = new URL('../../fixtures/child/read-until-killed.ts', import.meta.url).pathname;
const serverOwner = new URL('../../fixtures/child/own-server.ts', import.meta.url).pathname;

describe('process guard', () => {
  it('takes ffmpeg along when we are killed with SIGKILL, also while the camera is stalled', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ingest-guard-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const server = await startRtspServer({ file: await timeVideo(folder, 'scene.mp4', { seconds: 4 }) });
    onTestFinished(() => server.stop());
    const owner = spawn(process.execPath, ['--import', 'tsx', fixture, server.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void owner.kill('SIGKILL'));
    let said = '';
    owner.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await expect.poll(() => said).toContain('up\n');
    const children = (await descendantsOf(owner.pid ?? 0)).filter(({ command }) =>
      /ffmpeg|actionstream-guard/.test(command),
    );
    expect(children.length).toBeGreaterThanOrEqual(2);
    server.faults.stall();

    owner.kill('SIGKILL');
    await once(owner, 'exit');

    await expect.poll(() => stillRunning(children)).toEqual([]);
  });

  it('ends a local server and removes its folder when we are killed with SIGKILL', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'guard-server-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const owner = spawn(process.execPath, ['--import', 'tsx', serverOwner, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void owner.kill('SIGKILL'));
    let said = '';
    owner.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await expect.poll(() => said).toMatch(/^pid [1-9]\d*\n$/);
    const children = (await descendantsOf(owner.pid ?? 0)).filter(({ command }) =>
      /^sleep 60|actionstream-guard/.test(command),
    );
    expect(children).toHaveLength(2);

    owner.kill('SIGKILL');
    await once(owner, 'exit');

    await expect.poll(() => stillRunning(children)).toEqual([]);
    await expect.poll(() => existsSync(folder)).toBe(false);
  });

  it('becomes the program: same pid, its exit code, its signals', async () => {
    const failing = spawn(GUARD_SHELL, [...guardArguments('sh'), '-c', 'echo $$; exit 7']);
    void holdGuard(failing, []);
    let said = '';
    failing.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    expect(await once(failing, 'close')).toEqual([7, null]);
    expect(Number(said)).toBe(failing.pid);

    const sleeping = spawn(GUARD_SHELL, [...guardArguments('sleep'), '60']);
    void holdGuard(sleeping, []);
    sleeping.kill('SIGTERM');
    expect(await once(sleeping, 'close')).toEqual([null, 'SIGTERM']);
  });

  it('hands over its lines untouched, and the program sees their end', async () => {
    const lines = [`file 'rtsp://u:$HOME\`id\`"\\\\n%41@h/'`, '  indented', '-n'];
    const cat = spawn(GUARD_SHELL, guardArguments('cat'));
    let said = '';
    cat.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    void holdGuard(cat, lines);
    await once(cat, 'close');

    expect(said.trimEnd()).toBe(lines.join('\n'));
  });

  it('leaves nothing for pid 1 to reap: program and watcher are children of ours', async () => {
    const child = spawn(GUARD_SHELL, [...guardArguments('sleep'), '60']);
    const gone = holdGuard(child, []);
    const family = await descendantsOf(process.pid);
    const guarded = family.filter(
      ({ pid, command }) => pid === child.pid || command.endsWith(` ${child.pid ?? 0}`),
    );
    expect(guarded.map(({ parent }) => parent)).toEqual([process.pid, process.pid]);

    child.kill('SIGKILL');
    await gone;
    expect(await stillRunning(guarded)).toEqual([]);
  });

  it('starts nothing where we are gone before it knew what to start', async () => {
    const child = spawn(GUARD_SHELL, [...guardArguments('echo'), 'started']);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.stdin.end();

    expect(await once(child, 'close')).toEqual([1, null]);
    expect(said).toBe('');
  });

  it('lets its watcher go when the program has ended', async () => {
    const before = (await descendantsOf(process.pid)).length;
    for (let run = 0; run < 5; run += 1) {
      const child = spawn(GUARD_SHELL, guardArguments('true'));
      void holdGuard(child, []);
      await once(child, 'close');
    }

    await expect.poll(async () => (await descendantsOf(process.pid)).length).toBeLessThanOrEqual(before);
  });
});
