import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';

import { ActionstreamError } from '../../../src/core/errors.ts';
import { readClips } from '../../support/clip-reader.ts';
import { timeVideo } from '../../support/lavfi.ts';
import { descendantsOf } from '../../support/processes.ts';
import { fileDirectory } from '../../support/temporary-directory.ts';

// Damaged media and odd names, the same ones in every run; ACTIONSTREAM_FUZZ asks for more of them.

const directory = fileDirectory();
const RUNS = Number(process.env['ACTIONSTREAM_FUZZ'] ?? 8);
/** A damaged file may take a while to decode, but it ends. */
const LONGEST_MS = 60_000;
const KINDS = ['mp4', 'ts', 'mkv'] as const;
const media = new Map<(typeof KINDS)[number], Buffer>();

beforeAll(async () => {
  for (const kind of KINDS)
    media.set(kind, await readFile(await timeVideo(directory(), `whole.${kind}`, { seconds: 2, fps: 10 })));
});

/**
 * The error of a reader that must end by itself, if it ends with one; clips are
 * of one size whatever the file says.
 */
async function readToEnd(url: string): Promise<unknown> {
  const reader = readClips({ url, kind: 'file', policy: 'every_frame' });
  const overdue = setTimeout(() => void reader.stop(), LONGEST_MS);
  try {
    await reader.done;
    return undefined;
  } catch (error) {
    return error;
  } finally {
    clearTimeout(overdue);
    expect(reader.transitions.at(-1)?.reason, 'it ended by itself').not.toBe('aborted');
    for (const { frames } of reader.clips)
      for (const { data } of frames) expect(data).toHaveLength(16 * 16 * 3);
  }
}

test('media cut short or with flipped bits end in clips or in an error of ours, and leave no process', async () => {
  const damage = fc.record({
    kind: fc.constantFrom(...KINDS),
    keep: fc.double({ min: 0.02, max: 1, noNaN: true }),
    flips: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 255 })), {
      maxLength: 40,
    }),
  });
  await fc.assert(
    fc.asyncProperty(damage, async ({ kind, keep, flips }) => {
      const whole = media.get(kind)!;
      const bytes = Buffer.from(whole.subarray(0, Math.ceil(whole.length * keep)));
      for (const [where, mask] of flips) {
        const at = Math.min(bytes.length - 1, Math.floor(where * bytes.length));
        bytes.writeUInt8(bytes.readUInt8(at) ^ mask, at);
      }
      const file = join(directory(), `damaged.${kind}`);
      await writeFile(file, bytes);

      const error = await readToEnd(file);

      if (error !== undefined) {
        expect(error).toBeInstanceOf(ActionstreamError);
        expect((error as ActionstreamError).code).toMatch(/^(INPUT_INVALID|SOURCE_\w+)$/);
      }
    }),
    { seed: 14, numRuns: RUNS, endOnFailure: true },
  );
  await expect
    .poll(async () => (await descendantsOf(process.pid)).filter(({ command }) => /ffmpeg/.test(command)))
    .toEqual([]);
});

test('a file is read under any name that the system takes, and nothing else is touched', async () => {
  const unit = fc.oneof(
    fc.constantFrom(...Array.from('%\'"\\$`|:;*?[]{}()<>!&#@~,= -')),
    fc.constantFrom('%d', '$(touch pwned)', 'concat:', 'http:', '..', 'ü', '😀', '\n', '\t', 'a', '1'),
  );
  await fc.assert(
    fc.asyncProperty(fc.string({ unit, minLength: 1, maxLength: 12 }), async (name) => {
      const file = join(directory(), `${name}.mp4`);
      await writeFile(file, media.get('mp4')!);
      const before = await readdir(directory());

      expect(await readToEnd(file)).toBeUndefined();

      expect(await readdir(directory())).toEqual(before);
      expect(existsSync('pwned')).toBe(false);
    }),
    { seed: 14, numRuns: RUNS, endOnFailure: true },
  );
});
