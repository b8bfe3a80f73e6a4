import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openJournal } from '../../src/sink/journal/open-journal.ts';
import { openJournalReader } from '../../src/sink/journal/reader.ts';
import { actionEvent, clipStats } from '../support/records.ts';
import { damaged, refusesOrResolves, RUNS } from './support.ts';

let folder: string;
let sound: string;
let files: readonly string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fuzz-journal-'));
  sound = join(folder, 'sound');
  await writeJournal(sound);
  const entries = await readdir(sound, { withFileTypes: true, recursive: true });
  files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(sound, join(entry.parentPath, entry.name)));
});
async function writeJournal(dir: string): Promise<void> {
  await using journal = await openJournal({
    dir,
    consumers: ['kafka'],
    maxBytes: 262_144,
    segmentBytes: 4096,
  });
  for (let episode = 0; episode < 12; episode++)
    await journal.append([actionEvent({ episode }), clipStats(), actionEvent({ episode, state: 'ended' })]);
}

afterAll(async () => {
  await rm(folder, { recursive: true });
});

it(
  'a journal with any file damaged is read and opened, or refused by name; nothing outside it changes',
  { timeout: 1_800_000 },
  async () => {
    const dir = join(folder, 'damaged');
    const contents = await Promise.all(files.map((name) => readFile(join(sound, name))));
    const damage = fc
      .nat(files.length - 1)
      .chain((n) => fc.tuple(fc.constant(files[n]!), damaged([contents[n]!])));
    await fc.assert(
      fc.asyncProperty(damage, async ([name, bytes]) => {
        await rm(dir, { recursive: true, force: true });
        await cp(sound, dir, { recursive: true });
        await writeFile(join(dir, name), bytes);
        await refusesOrResolves(readWhole);
        await refusesOrResolves(openAndAppend);
        expect((await readdir(folder)).sort()).toEqual(['damaged', 'sound']);
      }),
      { numRuns: Math.ceil(RUNS / 2) },
    );

    async function readWhole(): Promise<void> {
      const reader = await openJournalReader(dir);
      const { firstOffset, nextOffset } = await reader.bounds();
      for (let from = firstOffset, reads = 0; from < nextOffset && reads < 200; reads++) {
        const records = await reader.read(from, 10);
        if (records.length === 0) return;
        from = (records.at(-1)?.offset ?? from) + 1;
      }
    }

    async function openAndAppend(): Promise<void> {
      await using journal = await openJournal({
        dir,
        consumers: ['kafka'],
        maxBytes: 262_144,
        segmentBytes: 4096,
        readPatienceMs: 1,
      });
      await journal.append([actionEvent({ episode: 99 })]);
    }
  },
);
