import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clipOf, isRunning, listening, NONE, openWorker, ownFolder, UNRELIABLE } from './small-worker.ts';

const folder = ownFolder();

describe('a process that hangs', () => {
  for (const deed of ['stop', 'spin']) {
    test(`by ${deed} is ended after the time allowed, and its clip tried once more`, async () => {
      const lost: object[] = [];
      await using engine = await openWorker({
        entryUrl: UNRELIABLE,
        logger: listening(lost),
        clipTimeoutMs: 5000,
      });
      const marker = join(folder(), 'marker');

      const [first, second] = await Promise.all([
        engine.infer(clipOf(`${deed}-once:${marker}`), { sampler: NONE }),
        engine.infer(clipOf('next'), { sampler: NONE }),
      ]);

      expect([first.clipId, second.clipId]).toEqual([`${deed}-once:${marker}`, 'next']);
      expect(lost).toEqual([expect.objectContaining({ clipId: `${deed}-once:${marker}`, attempt: 1 })]);
      const pid = Number(await readFile(marker, 'utf8'));
      await expect.poll(() => isRunning(pid)).toBe(false);
    });
  }

  test('on the same clip twice gives that clip up as retryable, and says after what time', async () => {
    await using engine = await openWorker({ entryUrl: UNRELIABLE, clipTimeoutMs: 300 });

    const hanging = engine.infer(clipOf('stop-always'), { sampler: NONE });

    await expect(hanging).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      retryable: true,
      message: expect.stringMatching(/clip stop-always: .* gave no answer for 300 ms/) as string,
    });
  });
});
