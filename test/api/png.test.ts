import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { pngOf } from '../../src/api/png.ts';

test('ffmpeg reads the pixels that were written', () => {
  const [width, height] = [7, 5];
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37) % 256);

  const read = spawnSync('ffmpeg', ['-v', 'error', '-i', '-', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], {
    input: pngOf({ width, height, data }),
  });

  expect(read.stderr.toString()).toBe('');
  expect(new Uint8Array(read.stdout)).toEqual(data);
});
