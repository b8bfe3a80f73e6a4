import { expect, onTestFinished, test } from 'vitest';
import type { Logger } from '../../../src/core/logger.ts';
import { createDatabase } from '../../../src/sink/postgres/connection.ts';
import { migrate } from '../../../src/sink/postgres/migrate.ts';
import { createPostgresSink } from '../../../src/sink/postgres/postgres-sink.ts';
import { createStreamClaims } from '../../../src/sink/postgres/writers.ts';
import type { StoredRecord } from '../../../src/sink/event-sink.ts';
import { rowsOf, temporaryDatabase } from '../../support/names.ts';
import { actionEvent, streamStatus } from '../../support/records.ts';

const never = new AbortController().signal;

async function database(): Promise<string> {
  const url = await temporaryDatabase();
  await migrate({ url });
  return url;
}

/** A record of a stream, journalled now, by an instance of this name. */
const live = (streamId: string, instance = 'a', recordedAtMs = Date.now()): readonly StoredRecord[] => [
  {
    offset: 0,
    recordedAtMs,
    record: actionEvent({ stream_id: streamId, pipeline: { instance, version: '0' } }),
  },
];

function claims(url: string) {
  const opened = createDatabase({ url }, { max: 1 });
  onTestFinished(() => opened.end());
  return createStreamClaims(opened, { renewMs: 0 });
}

test('two programs that alternate on a stream find each other, and only on that stream', async () => {
  const url = await database();
  const [first, second] = [claims(url), claims(url)];

  expect(await first.renew([...live('shared', 'dock-a'), ...live('own', 'dock-a')], never)).toEqual([]);
  expect(await second.renew(live('shared', 'dock-b'), never)).toEqual([]);

  expect(await first.renew([...live('shared', 'dock-a'), ...live('own', 'dock-a')], never)).toEqual([
    { streamId: 'shared', instance: 'dock-b' },
  ]);
  expect(await second.renew(live('shared', 'dock-b'), never)).toEqual([
    { streamId: 'shared', instance: 'dock-a' },
  ]);
});

test('two programs of one instance name are two programs', async () => {
  const url = await database();
  const [first, second] = [claims(url), claims(url)];
  await first.renew(live('shared'), never);
  await second.renew(live('shared'), never);

  expect(await first.renew(live('shared'), never)).toEqual([{ streamId: 'shared', instance: 'a' }]);
});

test('restarts are no second program: neither a crash nor one after the other', async () => {
  const url = await database();
  for (let start = 0; start < 3; start += 1) {
    const program = claims(url);
    expect(await program.renew(live('shared'), never)).toEqual([]);
    expect(await program.renew(live('shared'), never)).toEqual([]);
  }
});

test('a backlog of a stream that has moved elsewhere is no second program', async () => {
  const url = await database();
  const now = claims(url);
  await now.renew(live('moved', 'new'), never);
  const late = claims(url);
  await late.renew(live('moved', 'old', Date.now() - 60_000), never);

  expect(await now.renew(live('moved', 'new'), never)).toEqual([]);
});

test('claims are renewed every few seconds at most, whatever the number of batches', async () => {
  const url = await database();
  const opened = createDatabase({ url }, { max: 1 });
  onTestFinished(() => opened.end());
  const seldom = createStreamClaims(opened, { renewMs: 3_600_000 });
  await seldom.renew(live('busy'), never);
  const [before] = await rowsOf(url, 'SELECT written_at FROM actionstream.streams');
  await seldom.renew(live('busy'), never);

  expect(await rowsOf(url, 'SELECT written_at FROM actionstream.streams')).toEqual([before]);
});

test('a stream whose first records tell no state takes the state that comes later', async () => {
  const url = await database();
  await using sink = createPostgresSink({ url });
  await sink.write(live('late'), never);
  await sink.write(
    [{ offset: 1, recordedAtMs: Date.now(), record: streamStatus({ stream_id: 'late' }) }],
    never,
  );

  expect(await rowsOf(url, 'SELECT state FROM actionstream.streams')).toEqual([{ state: 'up' }]);
});

test('the sink warns with the name of the other instance, and counts', async () => {
  const url = await database();
  const warnings: unknown[] = [];
  const silent = (): void => undefined;
  const logger: Logger = {
    ...{ trace: silent, debug: silent, info: silent, error: silent, fatal: silent },
    warn: (...said: unknown[]) => warnings.push(said),
  };
  const options = { url, claimsRenewMs: 0 };
  await using first = createPostgresSink(options, logger);
  await using second = createPostgresSink(options);
  await first.write(live('shared', 'x'), never);
  await second.write(live('shared', 'y'), never);
  await first.write(live('shared', 'x'), never);

  expect(JSON.stringify(warnings)).toContain('"other_instance":"y"');
  expect(first.foreignWrites?.get('shared')).toBe(1);
});
