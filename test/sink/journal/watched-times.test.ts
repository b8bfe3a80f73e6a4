import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { silentLogger } from '../../../src/core/logger.ts';
import { openWatchedTimes } from '../../../src/sink/journal/watched-times.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describe('watched times', () => {
  it('are there for the next run, also of streams that this one does not have', async () => {
    const dir = await temporaryDirectory();
    const first = await openWatchedTimes(dir, silentLogger);
    first.note('a', 1000.4);
    first.note('b', 2000);
    await first[Symbol.asyncDispose]();

    const second = await openWatchedTimes(dir, silentLogger);
    second.note('b', 3000);
    expect([second.of('a'), second.of('b'), second.of('c')]).toEqual([1000, 3000, undefined]);
    await second[Symbol.asyncDispose]();

    const third = await openWatchedTimes(dir, silentLogger);
    expect([third.of('a'), third.of('b')]).toEqual([1000, 3000]);
    await third[Symbol.asyncDispose]();
  });

  it('of a stream that has none yet are kept at once: a program killed in its first second leaves a gap too', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const dir = await temporaryDirectory();
    await using times = await openWatchedTimes(dir, silentLogger);
    times.note('a', 1000);

    // No timer runs, and nothing is closed.
    const kept = async (): Promise<string> => readFile(join(dir, 'watched.json'), 'utf8').catch(() => '');
    await expect.poll(kept).toBe('{"a":1000}');
  });

  it.each(['', '{"a":', '[1]', '{"a":"yesterday"}', 'null'])(
    'count as none where the file holds %j',
    async (text) => {
      const dir = await temporaryDirectory();
      await writeFile(join(dir, 'watched.json'), text);

      await using times = await openWatchedTimes(dir, silentLogger);
      expect(times.of('a')).toBeUndefined();
    },
  );

  it('that cannot be written are said once and end nothing', async () => {
    const dir = await temporaryDirectory();
    await mkdir(join(dir, 'watched.json'));
    const warned: string[] = [];
    const logger = { ...silentLogger, warn: (_: object, message: string) => void warned.push(message) };
    const times = await openWatchedTimes(dir, logger);
    times.note('a', 1);
    await times[Symbol.asyncDispose]();

    expect(warned).toEqual(['watched times could not be saved']);
    await expect(readFile(join(dir, 'watched.json'))).rejects.toThrow();
  });
});
