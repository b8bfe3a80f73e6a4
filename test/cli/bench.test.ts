import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BenchResults } from '../../src/lab/bench/types.ts';
import { runCli } from '../support/cli.ts';
import { ffmpeg } from '../support/lavfi.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('bench', () => {
  test('streams without a video says what to name, before anything is measured', async () => {
    const { code, stderr } = await runCli(['bench', 'streams']);

    expect(code).toBe(2);
    expect(stderr).toContain('name some of fixed cameras with --video');
  });

  test('a video that is a folder or not there is named, before anything is measured', async () => {
    const folder = await temporaryDirectory();
    const refused = await runCli(['bench', 'streams', '--video', folder]);
    const absent = await runCli(['bench', 'streams', '--video', path.join(folder, 'absent.mp4')]);

    expect([refused.code, absent.code]).toEqual([2, 2]);
    expect(refused.stderr).toContain('is a directory, not a video file; name a file in it');
    expect(absent.stderr).toContain('no such file');
  });

  test('settings that are no JSON object and parts that do not exist are refused', async () => {
    const settings = await runCli(['bench', 'reuse', '--settings', '[1']);
    const part = await runCli(['bench', 'everything']);

    expect([settings.code, part.code]).toEqual([2, 2]);
    expect(settings.stderr).toContain('--settings');
    expect(part.stderr).toContain('clip, model, stages, reuse, streams');
  });

  test('streams, in a real run: the receipts of the clips and who used the processors', async () => {
    const folder = await temporaryDirectory();
    const video = path.join(folder, 'camera.mp4');
    const source = 'testsrc2=size=160x120:rate=15:duration=20,format=yuv420p';
    await ffmpeg('-f', 'lavfi', '-i', source, '-c:v', 'libx264', '-preset', 'ultrafast', video);
    const parts = ['bench', 'streams', '--quick', '--video', video, '--streams', '2', '--seconds', '2'];

    const { code, stdout, stderr } = await runCli([...parts, '--out', folder, '--json']);

    expect(code, stderr).toBe(0);
    const { streams } = JSON.parse(stdout) as BenchResults;
    const run = streams?.ours[0];
    expect(run?.receipts?.delta?.mean).toBeGreaterThanOrEqual(0.6);
    expect(run?.receipts?.fewestClips).toBeGreaterThan(0);
    expect(run?.byPart?.['engine']?.cores).toBeGreaterThan(0);
    expect(run?.othersCores).toBeGreaterThanOrEqual(0);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(['results.json', 'streams.svg']));
  });
});
