import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PublishedRecord } from '../../src/core/records.ts';
import type { EventSink, StoredRecord } from '../../src/sink/event-sink.ts';
import { actionEvent, clipStats, streamStatus } from '../support/records.ts';

/** One kind of sink with what is needed to look behind it. */
export interface SinkUnderTest {
  /** A new sink on the same place. */
  create(): EventSink;
  /** Ids of the action events that lie there, in order where the place has one; equal ids are one. */
  storedIds(): Promise<readonly string[]>;
  /** A record that this sink can never accept; absent where there is none. */
  readonly unacceptable?: PublishedRecord;
  readonly deadLetterIds?: () => Promise<readonly string[]>;
  dispose(): Promise<void>;
}

/**
 * What every sink promises. `open` makes an empty place, once for all tests: they use streams of their own.
 */
export function describeEventSink(name: string, open: () => Promise<SinkUnderTest>): void {
  describe(`${name} keeps the contract of an event sink`, () => {
    const never = new AbortController().signal;
    let place: SinkUnderTest;
    beforeAll(async () => {
      place = await open();
    });
    afterAll(() => place.dispose());

    test('a batch is durable when write resolves', async () => {
      await using sink = place.create();
      await sink.open(never);
      const batch = [
        actionEvent({ stream_id: 'durable' }),
        clipStats({ stream_id: 'durable' }),
        streamStatus(),
      ];

      await sink.write(stored(batch), never);

      expect(await place.storedIds()).toContain(idOf(batch[0]));
    });

    test('a repeated batch makes no second record', async () => {
      await using sink = place.create();
      await sink.open(never);
      const batch = stored([0, 1, 2].map((episode) => actionEvent({ stream_id: 'repeat', episode })));

      for (let repeat = 0; repeat < 3; repeat++) await sink.write(batch, never);

      const wanted = batch.map(({ record }) => idOf(record));
      const found = (await place.storedIds()).filter((id) => wanted.includes(id));
      expect(found).toEqual(wanted);
    });

    test('one bad record does not lose the others, and is put aside', async () => {
      const { unacceptable, deadLetterIds } = place;
      await using sink = place.create();
      await sink.open(never);
      const good = [0, 1].map((episode) => actionEvent({ stream_id: 'beside', episode }));
      const batch = unacceptable ? [good[0]!, unacceptable, good[1]!] : good;

      await sink.write(stored(batch), never);

      const ids = await place.storedIds();
      for (const record of good) expect(ids).toContain(idOf(record));
      if (unacceptable && deadLetterIds) {
        expect(ids).not.toContain(idOf(unacceptable));
        expect(await deadLetterIds()).toEqual([idOf(unacceptable)]);
      }
    });

    test('opening twice and disposing twice is harmless', async () => {
      const sink = place.create();
      await sink.open(never);
      await sink.open(never);
      await sink.write(stored([actionEvent({ stream_id: 'twice' })]), never);

      await sink[Symbol.asyncDispose]();
      await sink[Symbol.asyncDispose]();

      expect(await place.storedIds()).toContain(idOf(actionEvent({ stream_id: 'twice' })));
    });

    test('a write whose signal has aborted is refused as ABORTED', async () => {
      await using sink = place.create();
      await sink.open(never);

      await expect(
        sink.write(stored([actionEvent({ stream_id: 'aborted' })]), AbortSignal.abort()),
      ).rejects.toMatchObject({ code: 'ABORTED' });
    });
  });
}

export function stored(records: readonly PublishedRecord[]): readonly StoredRecord[] {
  return records.map((record, offset) => ({ offset, recordedAtMs: Date.UTC(2026, 10, 22, 12), record }));
}

/** Episode and sequence: what a sink shows of an event. */
export function idOf(record: PublishedRecord | undefined): string {
  if (record?.type !== 'action.event') throw new Error('only action events have an episode');
  return `${record.payload.episode_id}:${record.payload.sequence}`;
}
