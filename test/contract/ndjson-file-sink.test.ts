import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { PublishedRecord } from '../../src/core/records.ts';
import { createNdjsonFileSink } from '../../src/sink/ndjson/file-sink.ts';
import { actionEvent } from '../support/records.ts';
import { createDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { describeEventSink, idOf, stored } from './event-sink.contract.ts';

describeEventSink('ndjson to a file', async () => {
  const directory = await createDirectory();
  const file = path.join(directory, 'not', 'there', 'yet', 'out.ndjson');
  return {
    create: () => createNdjsonFileSink({ path: file }),
    storedIds: async () => [...new Set((await idsIn(file)).filter((id) => id !== undefined))],
    dispose: () => rm(directory, { recursive: true }),
  };
});

const never = new AbortController().signal;
const [first, second, third] = [0, 1, 2].map((episode) => actionEvent({ episode }));

test('a device without room accepts nothing, and says what to do', async () => {
  await using sink = createNdjsonFileSink({ path: '/dev/full' });
  await sink.open(never);

  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(sink.write(stored([first!]), never)).rejects.toMatchObject({
      code: 'OUTPUT_UNWRITABLE',
      retryable: true,
      message: expect.stringMatching(/^\/dev\/full: ENOSPC.*; free space there; the records wait/) as string,
    });
  }
});

test.each([
  { what: 'a folder', place: '', says: /it is a folder: name a file in sinks\.ndjson\.path/ },
  {
    what: 'a file in the place of a folder',
    place: 'file/out',
    says: /a part of this path is a file|ENOTDIR|EEXIST/,
  },
])('$what is refused at the start and at each write', async ({ place, says }) => {
  const directory = await temporaryDirectory();
  await writeFile(path.join(directory, 'file'), '');
  await using sink = createNdjsonFileSink({ path: path.join(directory, place) });

  for (const attempt of [() => sink.open(never), () => sink.write(stored([first!]), never)])
    await expect(attempt()).rejects.toMatchObject({
      code: 'OUTPUT_UNWRITABLE',
      message: expect.stringMatching(says) as string,
    });
});

test('a line that a killed process left torn is cut off; what others wrote stays', async () => {
  const directory = await temporaryDirectory();
  const file = path.join(directory, 'out.ndjson');
  const half = JSON.stringify(first).slice(0, 200);
  for (const [found, kept] of [
    [`${JSON.stringify(first)}\n${half}`, `${JSON.stringify(first)}\n`],
    [half, ''],
    [JSON.stringify(first), `${JSON.stringify(first)}\n`],
    ['# notes of somebody', '# notes of somebody\n'],
  ] as const) {
    await writeFile(file, found);
    await using sink = createNdjsonFileSink({ path: file });
    await sink.open(never);
    await sink.write(stored([second!]), never);

    expect(await readFile(file, 'utf8')).toBe(`${kept}${JSON.stringify(second)}\n`);
  }
});

test('a file that was moved or deleted is made anew, folder and all', async () => {
  const directory = path.join(await temporaryDirectory(), 'folder');
  const file = path.join(directory, 'out.ndjson');
  await using sink = createNdjsonFileSink({ path: file });
  await sink.write(stored([first!]), never);
  await rename(file, `${file}.1`);
  await sink.write(stored([second!]), never);
  expect(await idsIn(`${file}.1`)).toEqual([idOf(first)]);
  expect(await idsIn(file)).toEqual([idOf(second)]);
  await rm(directory, { recursive: true });
  await sink.write(stored([third!]), never);
  expect(await idsIn(file)).toEqual([idOf(third)]);
});

test('two processes that append to one file keep each other’s lines', async () => {
  const file = path.join(await temporaryDirectory(), 'out.ndjson');
  await using one = createNdjsonFileSink({ path: file });
  await using other = createNdjsonFileSink({ path: file });
  await one.write(stored([first!]), never);
  await other.write(stored([second!]), never);
  await one.write(stored([third!]), never);

  expect(await idsIn(file)).toEqual([first, second, third].map((record) => idOf(record)));
});

async function idsIn(file: string): Promise<readonly (string | undefined)[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines
    .map((line) => JSON.parse(line) as PublishedRecord)
    .map((record) => (record.type === 'action.event' ? idOf(record) : undefined));
}
