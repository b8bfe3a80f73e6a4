import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../support/cli.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { endRuns } from '../support/runs.ts';
import { randomOf } from './random.ts';
import { writeReport, type Trial } from './report.ts';
import { startServers, type Servers } from './site.ts';
import { trialsOf, TRIALS, type Part } from './trials.ts';

// The whole suite with CHAOS=full (`npm run test:chaos`), else a part of it.
// CHAOS_SEED repeats a run's moments; the part of `npm test` has the same ones every time.
const isFull = process.env['CHAOS'] === 'full';
const seed = Number(process.env['CHAOS_SEED'] ?? (isFull ? Date.now() % 1_000_000 : 14));
const IN_SUBSET = [
  'kill -9 at random moments',
  'SIGTERM while all is well',
  'Kafka frozen, then SIGTERM',
  'a flipped bit in a row of Postgres',
  'a disk of 4 MiB is full, and deliveries make room',
  'a torn tail',
  'many records',
];

/** The trials of a part, with servers of their own. Without CHAOS=full it is some of all parts. */
export function defineChaos(part: Part): void {
  let servers: Servers;
  const trials: Trial[] = [];

  demandNoLeftovers();
  // Hooks after a test run from the last to the first: no run is left when the broker is cleared.
  afterEach(async () => {
    await servers.clear();
  });
  afterEach(endRuns);
  // After each trial: a suite that is stopped has its report too.
  afterEach(() => {
    const suite = isFull ? `${part} of the whole suite` : 'some of the suite';
    writeReport(path.join(ROOT, '.cache', 'chaos', isFull ? part : ''), { seed, suite, trials });
  });

  beforeAll(async () => {
    servers = await startServers();
  });
  afterAll(async () => {
    await servers.stop();
  });

  const chosen = isFull
    ? trialsOf(part)
    : Object.values(TRIALS)
        .flat()
        .filter(({ name }) => IN_SUBSET.includes(name));
  for (const { name, run } of chosen) {
    test(`${name} (seed ${seed})`, async () => {
      const context = {
        servers,
        random: randomOf(seed),
        kills: isFull ? 100 : 6,
        frozenMs: isFull ? 60_000 : 5000,
        overloadMs: isFull ? 120_000 : 5000,
        records: isFull ? 1_000_000 : 20_000,
      };
      const lines = [await run(context).catch((error: unknown) => brokenOff(name, error))].flat();
      trials.push(...lines);
      for (const { ok, counted, notRun } of lines) expect(ok || notRun !== undefined, counted).toBe(true);
    });
  }
}

/** A trial that could not come to its end is an open line too. */
function brokenOff(name: string, error: unknown): Trial {
  const counted = error instanceof Error ? error.message.slice(0, 500) : String(error);
  return { promised: name, done: 'broke off', counted, ok: false };
}
