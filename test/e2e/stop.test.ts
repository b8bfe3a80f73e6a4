import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { openJournal } from '../../src/sink/journal/open-journal.ts';
import { startLocalPostgres } from '../../tools/local/postgres.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { appendEvents } from '../support/journals.ts';
import { temporaryDatabase } from '../support/names.ts';
import { descendantsOf, stillRunning } from '../support/processes.ts';
import { endRuns, startRun, terminate, TINY, verify, writeConfig } from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

demandNoLeftovers();
afterEach(endRuns);

/** Every class is always on, and a new episode begins twice a second. */
const RESTLESS = { on: 0.1, off: 0.05, min_duration: '0s', max_duration: '500ms', merge_gap: '0s' };
const MAX_BYTES = 256 * 1024;
const NOBODY = { brokers: ['127.0.0.1:1'], connection_timeout: '1s', request_timeout: '1s' };

interface Site {
  readonly directory: string;
  readonly journal: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A minute of a camera, on an engine that costs nothing; `fast`: it fills the journal as fast as it can. */
async function site(changes: object = {}, { fast = false } = {}): Promise<Site> {
  const directory = await temporaryDirectory();
  const journal = path.join(directory, 'journal');
  const url = await busyVideo(directory, 60);
  const settings = {
    model: { network: 's3d-g', width: 0.125, frames: 4, size: 32, classes: 4 },
    engine: { kind: 'null' },
    defaults: { realtime: !fast, window: { fps: 15, stride: 2 } },
    events: RESTLESS,
    streams: [{ id: 'camera', url }],
    journal: { dir: journal, max_size: '256KiB' },
    ...changes,
  };
  return { directory, journal, settings };
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends a run whose journal is full and whose sink is down; the next run watches at once`, async () => {
    const { directory, settings } = await site({ sinks: { kafka: NOBODY } }, { fast: true });
    const config = await writeConfig(directory, settings);
    const run = startRun(['run', config]);
    await run.said('the journal is full');

    run.child.kill(signal);
    const { code, stderr } = await run.done;
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/kafka: \d+ records wait in the journal/);
    expect(stderr).not.toContain('are lost');

    // Kafka's backlog makes room where it is not configured: the full journal does not hold up the start.
    const again = startRun([
      'run',
      await writeConfig(directory, { ...settings, sinks: {} }, 'again.yaml'),
      '--json',
    ]);
    await again.line((line) => line.includes('"clip.stats"'));
    expect(await terminate(again)).toMatchObject({ code: 0 });
  });
}

test('a full journal with open episodes is delivered by the next start, before and while streams run', async () => {
  const { directory, journal, settings } = await site({ sinks: {} });
  {
    // What a killed run leaves: episodes without an end, and no room for one.
    await using left = await openJournal({ dir: journal, consumers: ['ndjson'], maxBytes: MAX_BYTES });
    while (left.stats().undeliveredBytes < MAX_BYTES - 2048) await appendEvents(left, 1, left.nextOffset);
  }
  const run = startRun(['run', await writeConfig(directory, settings), '--json']);
  await run.line((line) => line.includes('"restart"'));
  await run.line((line) => line.includes('"clip.stats"'));

  const { code, stderr } = await terminate(run);
  expect(code, stderr).toBe(0);
});

test('a journal folder that disappears ends the run with exit 1, also while one camera cannot be reached', async () => {
  const { directory, journal, settings } = await site();
  const streams = [...(settings['streams'] as object[]), { id: 'dead', url: 'rtsp://127.0.0.1:1/cam' }];
  const run = startRun(['run', await writeConfig(directory, { ...settings, streams }), '--json']);
  await run.line((line) => line.includes('"clip.stats"'));
  const family = await descendantsOf(run.child.pid!);

  await rename(journal, path.join(directory, 'elsewhere'));
  const { code, stderr } = await run.done;

  expect(code, stderr).toBe(1);
  expect(stderr).toMatch(/^error JOURNAL_UNWRITABLE: .*was deleted/m);
  await expect.poll(() => stillRunning(family)).toEqual([]);
});

test('a second signal ends at once with 130', async () => {
  const { directory, settings } = await site({ sinks: { kafka: NOBODY } }, { fast: true });
  const run = startRun(['run', await writeConfig(directory, settings)]);
  await run.said('the journal is full');
  run.child.kill('SIGTERM');
  await run.said('stream ended');
  run.child.kill('SIGTERM');

  expect((await run.done).code).toBe(130);
});

test('a frozen Postgres holds up neither the stop nor the records: the next run delivers them', async () => {
  const postgres = await startLocalPostgres();
  onTestFinished(() => postgres.stop());
  const { directory, settings } = await site({
    journal: { dir: path.join(await temporaryDirectory(), 'journal') },
    sinks: { postgres: { url: postgres.url } },
  });
  const config = await writeConfig(directory, settings);
  const run = startRun(['run', config, '--json']);
  await run.line((line) => line.includes('"clip.stats"'));
  postgres.freeze();
  const lines = run.lines.length;
  await expect.poll(() => run.lines.length).toBeGreaterThan(lines + 20);

  const { code, stderr } = await terminate(run);
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/postgres: \d+ records wait in the journal/);

  postgres.thaw();
  const again = startRun(['run', config, '--json']);
  await again.line((line) => line.includes('"clip.stats"'));
  expect(await terminate(again)).toMatchObject({ code: 0 });
  expect(await verify(config)).toMatchObject({ consistent: true });
});

test('a frozen engine holds up the stop no longer than its deadline, and leaves no process behind', async () => {
  const databaseUrl = await temporaryDatabase();
  const { directory, settings } = await site({ ...TINY, sinks: { postgres: { url: databaseUrl } } });
  const { run, family } = await runWithFrozenEngine(await writeConfig(directory, settings));

  const { code, stderr } = await terminate(run);
  expect(code, stderr).toBe(0);
  await expect.poll(() => stillRunning(family)).toEqual([]);
});

test('a killed program leaves no frozen engine behind', async () => {
  const { directory, settings } = await site({ ...TINY });
  const { run, family } = await runWithFrozenEngine(await writeConfig(directory, settings));

  run.child.kill('SIGKILL');
  await once(run.child, 'exit');
  await expect.poll(() => stillRunning(family)).toEqual([]);
});

test('a second signal leaves no frozen engine behind', async () => {
  const { directory, settings } = await site({ ...TINY });
  const { run, family } = await runWithFrozenEngine(await writeConfig(directory, settings));
  run.child.kill('SIGTERM');
  await run.said('stream ended');
  run.child.kill('SIGTERM');

  expect((await run.done).code).toBe(130);
  await expect.poll(() => stillRunning(family)).toEqual([]);
});

async function runWithFrozenEngine(config: string) {
  const run = startRun(['run', config, '--json']);
  await run.line((line) => line.includes('"clip.stats"'));
  const family = await descendantsOf(run.child.pid!);
  const engine = family.find(({ command }) => command.includes('inference/worker/entry'));
  process.kill(engine?.pid ?? 0, 'SIGSTOP');
  return { run, family };
}
