import { stat } from 'node:fs/promises';
import { loadConfig } from '../config/index.ts';
import { inspectJournal, type JournalReport } from '../sink/journal/inspect.ts';
import { forgetConsumer } from '../sink/journal/offline.ts';
import { salvageJournal, type SalvagedSegment } from '../sink/journal/salvage.ts';
import type { AppContext } from './context.ts';

/** `journal check`. `place`: a configuration file, or a journal folder. */
export async function check(place: string, context: AppContext): Promise<JournalReport> {
  return inspectJournal(await dirOf(place, context));
}

/** `journal salvage` */
export async function salvage(place: string, context: AppContext): Promise<readonly SalvagedSegment[]> {
  return salvageJournal(await dirOf(place, context));
}

/** `journal forget`: the number of records given up. */
export async function forget(sink: string, place: string, context: AppContext): Promise<number> {
  return forgetConsumer(await dirOf(place, context), sink);
}

async function dirOf(place: string, { env }: AppContext): Promise<string> {
  const isFolder = (await stat(place).catch(() => undefined))?.isDirectory() ?? false;
  return isFolder ? place : loadConfig(place, { env }).journal.dir;
}
