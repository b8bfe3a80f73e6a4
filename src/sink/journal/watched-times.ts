import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { readJsonFile, writeFileAtomic } from './atomic-file.ts';

/**
 * Until when each live stream was watched, kept beside the journal. The next run reports the time between
 * as a gap.
 */
export interface WatchedTimes extends AsyncDisposable {
  /** As last noted, by this run or by an earlier one, ms since 1970. */
  of(streamId: string): number | undefined;
  note(streamId: string, untilMs: number): void;
}

/**
 * A crash makes the gap before the next run longer by so much at most, because nothing proves that the
 * time was watched.
 */
const SAVE_EVERY_MS = 1000;

/**
 * Reads the file of a locked journal folder. An unreadable one counts as none. A failed write is logged
 * once and tried again.
 */
export async function openWatchedTimes(dir: string, logger: Logger): Promise<WatchedTimes> {
  const path = join(dir, 'watched.json');
  const times = new Map(parseTimes(await readJsonFile(path).catch(() => undefined)));
  let dirty = false;
  let failed = false;
  let saving = Promise.resolve();

  const save = (): void => {
    if (!dirty) return;
    dirty = false;
    const content = JSON.stringify(Object.fromEntries(times));
    saving = saving
      .then(() => writeFileAtomic(path, content))
      .catch((error: unknown) => {
        dirty = true;
        if (!failed) logger.warn({ path, cause: messageOf(error) }, 'watched times could not be saved');
        failed = true;
      });
  };
  const timer = setInterval(save, SAVE_EVERY_MS);
  timer.unref();

  return {
    of: (streamId) => times.get(streamId),
    note(streamId, untilMs) {
      const isFirst = !times.has(streamId);
      times.set(streamId, Math.round(untilMs));
      dirty = true;
      // Of a stream without any time, the next run could tell no gap.
      if (isFirst) save();
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      save();
      await saving;
    },
  };
}

function parseTimes(content: unknown): ReadonlyMap<string, number> {
  if (typeof content !== 'object' || content === null) return new Map();
  return new Map(
    Object.entries(content).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}
