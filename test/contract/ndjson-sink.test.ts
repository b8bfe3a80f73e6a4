import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import type { PublishedRecord } from '../../src/core/records.ts';
import { createNdjsonSink } from '../../src/sink/ndjson/ndjson-sink.ts';
import { actionEvent, clipStats } from '../support/records.ts';
import { describeEventSink, idOf, stored } from './event-sink.contract.ts';

describeEventSink('ndjson', () => {
  const output = new PassThrough({ highWaterMark: 1024 * 1024 });
  let text = '';
  output.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  return Promise.resolve({
    create: () => createNdjsonSink({ output }),
    storedIds: () => {
      const records = text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as PublishedRecord);
      return Promise.resolve([
        ...new Set(records.filter(({ type }) => type === 'action.event').map((record) => idOf(record))),
      ]);
    },
    dispose: () => Promise.resolve(),
  });
});

const never = new AbortController().signal;

test('a reader that does not read holds up the writer, and the abort frees it', async () => {
  let taken = 0;
  const output = new Writable({
    write: () => {
      taken++;
    },
  });
  await using sink = createNdjsonSink({ output });
  const interrupt = new AbortController();
  const blocked = sink.write(stored([actionEvent()]), interrupt.signal);
  interrupt.abort();

  await expect(blocked).rejects.toMatchObject({ code: 'ABORTED' });
  expect(taken).toBe(1);
});

test('nothing is accepted that the reader did not take: it has gone, or there is no room', async () => {
  for (const [code, refusal] of [
    ['EPIPE', { code: 'OUTPUT_CLOSED', retryable: false }],
    ['ENOSPC', { code: 'OUTPUT_UNWRITABLE', retryable: true }],
  ] as const) {
    const output = new Writable({
      autoDestroy: false,
      write: (_chunk, _encoding, done) => {
        done(Object.assign(new Error(`write ${code}`), { code }));
      },
    });
    output.on('error', () => undefined);
    await using sink = createNdjsonSink({ output });

    await expect(sink.write(stored([actionEvent()]), never)).rejects.toMatchObject(refusal);
  }
});

test('only the asked types are written, one JSON line each', async () => {
  const output = new PassThrough();
  await using sink = createNdjsonSink({ output, types: ['action.event'] });

  await sink.write(stored([clipStats(), actionEvent(), clipStats()]), never);

  expect(String(output.read())).toBe(`${JSON.stringify(actionEvent())}\n`);
});
