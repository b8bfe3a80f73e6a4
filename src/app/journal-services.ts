import { stat } from 'node:fs/promises';
import type { JournalServices } from '../cli/journal.ts';
import { loadConfig } from '../config/index.ts';
import { inspectJournal } from '../sink/journal/inspect.ts';
import { forgetConsumer } from '../sink/journal/offline.ts';
import { salvageJournal } from '../sink/journal/salvage.ts';

/** `journal …` on the journal that a configuration file or a folder names. */
export function createJournalServices(env: Readonly<Record<string, string | undefined>>): JournalServices {
  const dirOf = async (place: string): Promise<string> => {
    const isFolder = (await stat(place).catch(() => undefined))?.isDirectory() ?? false;
    return isFolder ? place : loadConfig(place, { env }).journal.dir;
  };
  return {
    check: async (place) => inspectJournal(await dirOf(place)),
    salvage: async (place) => salvageJournal(await dirOf(place)),
    forget: async (sink, place) => forgetConsumer(await dirOf(place), sink),
  };
}
