import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPostgresSink } from '../../../src/sink/postgres/postgres-sink.ts';
import { openPostgresReader } from '../../../src/sink/postgres/reader.ts';
import { queryEvents } from '../../../src/sink/query.ts';
import { stored } from '../../contract/event-sink.contract.ts';
import { refusesOrResolves, RUNS } from '../../fuzz/support.ts';
import { rowsOf, temporaryDatabase } from '../../support/names.ts';
import { actionEvent } from '../../support/records.ts';

test('any filter and cursor is answered or refused, and changes nothing', { timeout: 600_000 }, async () => {
  const url = await temporaryDatabase();
  const { signal } = new AbortController();
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(signal);
  await sink.write(stored([actionEvent(), actionEvent({ episode: 1 })]), signal);
  await using reader = await openPostgresReader({ url });

  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom("'; DROP TABLE actionstream.action_events; --", '\0', '\ud800', '{}', '%', 'cam-1', '\\'),
  );
  const cursor = fc.oneof(
    fc.string(),
    fc
      .tuple(
        fc.constantFrom(
          '2026-11-22T10:00:00.000Z',
          '9999999999Z',
          'Z',
          '294277-01-01T00:00:00Z',
          '-1Z',
          'infinityZ',
        ),
        fc.stringMatching(/^[0-9a-f-]{36}$/),
      )
      .map((parts) => Buffer.from(parts.join(' ')).toString('base64url')),
  );
  const filter = fc.record(
    {
      streams: fc.array(word, { maxLength: 3 }),
      labels: fc.array(word, { maxLength: 3 }),
      since: fc.date({ noInvalidDate: true }),
      until: fc.date({ noInvalidDate: true }),
      minDurationMs: fc.oneof(fc.double({ noNaN: true, min: 0 }), fc.nat()),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(
      filter,
      fc.option(cursor, { nil: undefined }),
      fc.integer({ min: 1, max: 5 }),
      async (conditions, from, limit) => {
        const page = { limit, ...(from !== undefined && { cursor: from }) };
        const found = await refusesOrResolves(() => queryEvents(reader, conditions, page));
        if (found) expect(found.events.length).toBeLessThanOrEqual(limit);
      },
    ),
    { numRuns: 3 * RUNS },
  );

  expect(await rowsOf(url, 'SELECT count(*)::int AS n FROM actionstream.action_events')).toEqual([{ n: 2 }]);
});
