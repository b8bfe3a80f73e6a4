import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readClips } from '../support/clip-reader.ts';
import { ffmpeg } from '../support/lavfi.ts';
import { damaged, refusesOrResolves, RUNS } from './support.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fuzz-media-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

it.each(['mp4', 'mkv', 'ts'])(
  'a damaged .%s ends, with the clips before the damage or an error that names it',
  { timeout: 1_800_000 },
  async (container) => {
    const sound = join(folder, `sound.${container}`);
    await ffmpeg(
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=64x64:rate=10:duration=3',
      '-pix_fmt',
      'yuv420p',
      '-c:v',
      'libx264',
      sound,
    );
    const bytes = await readFile(sound);
    const url = join(folder, `damaged.${container}`);
    await fc.assert(
      fc.asyncProperty(damaged([bytes]), async (media) => {
        await writeFile(url, media);
        const reader = readClips({ kind: 'file', url, policy: 'every_frame' });
        await refusesOrResolves(() => reader.done);
        for (const { frames } of reader.clips) expect(frames).toHaveLength(4);
        expect(reader.transitions.at(-1)?.state).toBe('ended');
      }),
      { numRuns: Math.ceil(RUNS / 20) },
    );
  },
);
