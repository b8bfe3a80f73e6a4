import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { findFfmpeg } from '../../src/ingest/index.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'find-ffmpeg-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function program(name: string, says: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 });
  return path;
}

describe('findFfmpeg', () => {
  it('takes FFMPEG_PATH before PATH', async () => {
    const named = await program('mine/ff', 'ffmpeg version 7.1 Copyright');
    await program('bin/ffmpeg', 'ffmpeg version 6.0 Copyright');

    const found = await findFfmpeg({ FFMPEG_PATH: named, PATH: join(folder, 'bin') });

    expect(found).toEqual({ path: named, version: '7.1' });
  });

  it('takes the first ffmpeg in PATH', async () => {
    const path = await program('bin/ffmpeg', 'ffmpeg version 5.1.9-0+deb12u1 Copyright');

    await expect(findFfmpeg({ PATH: `${folder}:${join(folder, 'bin')}` })).resolves.toMatchObject({ path });
  });

  it('accepts builds without a release number', async () => {
    const path = await program('ffmpeg', 'ffmpeg version N-109468-gd39b34123d Copyright');

    await expect(findFfmpeg({ FFMPEG_PATH: path })).resolves.toMatchObject({
      version: 'N-109468-gd39b34123d',
    });
  });

  it.each([
    ['is too old', 'ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright', /4\.4\.2.*5\.1 or later/],
    ['is older than the options we use', 'ffmpeg version n5.0 Copyright', /5\.1 or later/],
    ['is something else', 'hello', /does not call itself ffmpeg/],
  ])('refuses a program that %s, and says how to install one', async (_, says, message) => {
    const path = await program('ffmpeg', says);

    const finding = findFfmpeg({ FFMPEG_PATH: path });

    await expect(finding).rejects.toMatchObject({
      code: 'FFMPEG_MISSING',
      message: expect.stringMatching(message) as string,
    });
    await expect(finding).rejects.toThrow(/apt-get install ffmpeg.*dnf.*brew.*apk/);
  });

  it('says so where there is none', async () => {
    await expect(findFfmpeg({ PATH: folder })).rejects.toMatchObject({ code: 'FFMPEG_MISSING' });
    await expect(findFfmpeg({ FFMPEG_PATH: join(folder, 'none') })).rejects.toMatchObject({
      code: 'FFMPEG_MISSING',
    });
  });
});
