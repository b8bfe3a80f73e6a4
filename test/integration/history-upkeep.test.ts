import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { HistoryUpkeep } from '../../src/app/history-upkeep.ts';
import { silentLogger, type Logger } from '../../src/core/logger.ts';
import { createPostgresSink } from '../../src/sink/postgres/postgres-sink.ts';
import { rowsOf, runSql, temporaryDatabase } from '../support/names.ts';
import { actionEvent, clipStats } from '../support/records.ts';
import { endRuns, startRun, terminate, writeConfig } from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

afterEach(endRuns);

const never = new AbortController().signal;
const DAY_MS = 86_400_000;
const PARTITIONS = `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE c.relkind = 'r' ORDER BY 1`;

test('partitions are there ahead of time, and what is too old goes whole', async () => {
  const url = await databaseOf(2020);
  const upkeep = upkeepOf(url, { eventsMs: 365 * DAY_MS, clipStatsMs: 30 * DAY_MS });
  await upkeepOnce(upkeep);

  const today = new Date();
  const tomorrow = new Date(today.getTime() + DAY_MS);
  const names = (await rowsOf(url, PARTITIONS)).map(({ name }) => name);
  expect(names).toEqual([...new Set([month(today), month(tomorrow)]), dayOf(today), dayOf(tomorrow)].sort());
  expect(upkeep.state).toEqual({ succeeded: 1, failed: 0, droppedPartitions: 2, deletedRows: 0 });
});

test('without ages everything is kept', async () => {
  const url = await databaseOf(2020);
  const upkeep = upkeepOf(url, {});
  await upkeepOnce(upkeep);

  expect((await rowsOf(url, PARTITIONS)).map(({ name }) => name)).toContain('action_events_2020_06');
  expect(upkeep.state).toMatchObject({ succeeded: 1, droppedPartitions: 0 });
});

test('a role that may not delete is logged with the remedy and counted', async () => {
  const url = await databaseOf(2020);
  await runSql(url, 'REVOKE ALL ON ALL TABLES IN SCHEMA actionstream FROM PUBLIC');
  const role = `reader_${Date.now()}`;
  await runSql(url, `CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA actionstream TO ${role}`);
  await runSql(url, `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA actionstream TO ${role}`);
  const asReader = new URL(url);
  asReader.username = role;
  asReader.password = 'x';
  const errors: object[] = [];
  const logger: Logger = { ...silentLogger, error: (fields: object) => void errors.push(fields) };
  const upkeep = upkeepOf(asReader.href, { eventsMs: DAY_MS }, logger);
  try {
    await upkeepOnce(upkeep);
  } finally {
    await runSql(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }

  expect(upkeep.state).toMatchObject({ succeeded: 0, failed: 1 });
  expect(errors).toMatchObject([{ cause: expect.stringContaining('as the role that owns') as string }]);
});

test('a run keeps up its own history, and stops while it does', async () => {
  const directory = await temporaryDirectory();
  const url = await databaseOf(2020);
  const config = await writeConfig(directory, {
    model: { network: 's3d-g', width: 0.125, frames: 4, size: 32, classes: 2 },
    engine: { kind: 'null' },
    defaults: { realtime: true },
    streams: [{ id: 'scene', url: await busyVideo(directory, 60) }],
    journal: { dir: path.join(directory, 'journal') },
    sinks: { postgres: { url, retention: { events: '365d', clip_stats: '30d' } } },
  });
  const run = startRun(['run', config]);
  await run.said('old history was deleted');

  expect((await rowsOf(url, PARTITIONS)).map(({ name }) => name)).not.toContain('action_events_2020_06');
  const { code, stderr } = await terminate(run);
  expect(code, stderr).toBe(0);
});

/** A database with an event and a clip of June of that year. */
async function databaseOf(year: number): Promise<string> {
  const url = await temporaryDatabase();
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(never);
  const at = `${year}-06-15T00:00:00.000Z`;
  const records = [actionEvent({ started_at: at }), clipStats({ clip_start: at })];
  const stored = records.map((record, offset) => ({ offset, record, recordedAtMs: Date.parse(at) }));
  await sink.write(stored, never);
  return url;
}

function upkeepOf(
  url: string,
  retention: ConstructorParameters<typeof HistoryUpkeep>[0]['retention'],
  logger = silentLogger,
): HistoryUpkeep {
  return new HistoryUpkeep({ postgres: { url }, retention, logger, caughtUp: () => Promise.resolve(true) });
}

/** Runs until it has succeeded or failed once. */
async function upkeepOnce(upkeep: HistoryUpkeep): Promise<void> {
  const stop = new AbortController();
  const running = upkeep.run(stop.signal);
  await expect.poll(() => upkeep.state.succeeded + upkeep.state.failed).toBe(1);
  stop.abort();
  await running;
}

function dayOf(date: Date): string {
  return `clip_stats_${date.toISOString().slice(0, 10).replaceAll('-', '_')}`;
}

function month(date: Date): string {
  return `action_events_${date.toISOString().slice(0, 7).replaceAll('-', '_')}`;
}
