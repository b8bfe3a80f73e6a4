import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ActionstreamError } from '../../src/core/errors.ts';
import type { RecordType } from '../../src/core/records.ts';
import { createDelivery } from '../../src/sink/delivery.ts';
import { RecordsRefused, type EventSink, type StoredRecord } from '../../src/sink/event-sink.ts';
import { openJournal } from '../../src/sink/journal/open-journal.ts';
import type { Journal } from '../../src/sink/journal/types.ts';
import { actionEvent, clipStats, streamStatus } from '../support/records.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Keeps the offsets that it accepts by type, and refuses some types. */
class TopicsSink implements EventSink {
  readonly name = 'topics';
  readonly accepted: Record<RecordType, number[]> = {
    'action.event': [],
    'clip.stats': [],
    'stream.status': [],
  };
  readonly refused = new Set<RecordType>();

  open(): Promise<void> {
    return Promise.resolve();
  }

  write(batch: readonly StoredRecord[]): Promise<void> {
    const types = [...this.refused].filter((type) => batch.some(({ record }) => record.type === type));
    for (const { offset, record } of batch)
      if (!types.includes(record.type)) this.accepted[record.type].push(offset);
    if (types.length === 0) return Promise.resolve();
    const error = new ActionstreamError('KAFKA_REFUSED', 'no right');
    return Promise.reject(new RecordsRefused([{ types, error }]));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

test('types that are refused wait alone, in order and once each, over restarts', async () => {
  const dir = await temporaryDirectory();
  const sink = new TopicsSink();
  sink.refused.add('clip.stats');
  await delivering(dir, sink, async (journal) => {
    await append(journal, 30);
    await expect.poll(() => sink.accepted['stream.status'].length).toBe(30);
    expect(journal.checkpointOf('topics')).toBe(1);
  });
  sink.refused.add('stream.status');
  await delivering(dir, sink, async (journal) => {
    await append(journal, 30);
    await expect.poll(() => sink.accepted['action.event'].length).toBe(60);
  });
  sink.refused.clear();
  await delivering(dir, sink, async (journal, drain) => {
    await append(journal, 1);
    expect(await drain()).toBe(true);
    expect(journal.checkpointOf('topics')).toBe(183);
  });

  const every = (place: number): number[] => Array.from({ length: 61 }, (_, n) => 3 * n + place);
  expect(sink.accepted).toEqual({
    'action.event': every(0),
    'clip.stats': every(1),
    'stream.status': every(2),
  });
});

test.each(['damaged', '{"reached":90,"lagging":{"clip.stats":60}}'])(
  'a file of lanes that does not belong to the checkpoint sends everything behind it again: %s',
  async (content) => {
    const dir = await temporaryDirectory();
    const sink = new TopicsSink();
    sink.refused.add('clip.stats');
    await delivering(dir, sink, async (journal) => {
      await append(journal, 5);
      await expect.poll(() => sink.accepted['stream.status'].length).toBe(5);
    });
    await writeFile(path.join(dir, 'lanes.json'), content);
    sink.refused.clear();
    await delivering(dir, sink, async (_, drain) => {
      expect(await drain()).toBe(true);
    });

    expect(sink.accepted['clip.stats']).toEqual([1, 4, 7, 10, 13]);
    expect(new Set(sink.accepted['action.event'])).toEqual(new Set([0, 3, 6, 9, 12]));
  },
);

async function append(journal: Journal, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await journal.append([actionEvent(), clipStats(), streamStatus()]);
}

/** A delivery for the time of `work`. */
async function delivering(
  dir: string,
  sink: EventSink,
  work: (journal: Journal, drain: () => Promise<boolean>) => Promise<void>,
): Promise<void> {
  await using journal = await openJournal({ dir, consumers: [sink.name] });
  const delivery = createDelivery({
    ...{ journal, sink, batchRecords: 7, backoff: { firstMs: 1, maxMs: 5 } },
    lanesFile: path.join(dir, 'lanes.json'),
  });
  const stop = new AbortController();
  const running = delivery.run(stop.signal);
  try {
    await work(journal, () => delivery.drain(10_000));
  } finally {
    stop.abort();
    await running;
  }
}
