import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runCli } from '../support/cli.ts';
import { runSql } from '../support/names.ts';
import { isClip, nextRecord } from '../support/runs.ts';
import { describeCounts } from './count.ts';
import type { Trial } from './report.ts';
import { drain, EXIT_MS, stop, type NamedTrial, type TrialContext } from './run-control.ts';
import { createSite, light, type Servers, type Site } from './site.ts';

/** States of the database in which it takes no records. */
export const POSTGRES_TRIALS: readonly NamedTrial[] = [
  {
    name: 'Postgres read-only for a while',
    run: (context) =>
      refuse(context, 'came back as a standby and was promoted', { enter: demote, leave: promote }),
  },
  {
    name: 'Postgres without connections for a while',
    run: (context) => refuse(context, 'took no connections for a while', { enter: shut, leave: open }),
  },
  { name: 'a database of a newer program', run: newerSchema },
  { name: 'the schema dropped during a run', run: dropSchema },
];

const REFUSES = 'a sink does not accept records';

interface Refusal {
  readonly enter: (servers: Servers, site: Site) => Promise<void>;
  readonly leave: (servers: Servers, site: Site) => Promise<void>;
}

async function refuse({ servers }: TrialContext, what: string, { enter, leave }: Refusal): Promise<Trial> {
  const site = await createSite(servers, { more: light(servers) });
  const run = site.start();
  await nextRecord(run, isClip, 2);
  await enter(servers, site);
  await run
    .said(REFUSES)
    .then(() => nextRecord(run, isClip, 8))
    .finally(() => leave(servers, site));
  await run.said('the sink accepts records again');
  const end = await stop(run, 'SIGTERM');
  const counts = await site.count();
  return {
    promised:
      'a database that refuses delays its records, loses none, and holds up neither streams nor Kafka',
    done: `Postgres ${what} during a run, then SIGTERM`,
    counted: `exit ${end.code} after ${end.ms} ms; ${describeCounts(counts)}`,
    ok: end.code === 0 && end.ms < EXIT_MS && counts.faults.length === 0,
  };
}

async function demote({ postgres }: Servers): Promise<void> {
  writeFileSync(standbySignal(postgres), '', { mode: 0o666 });
  await postgres.restart();
}

async function promote({ postgres }: Servers): Promise<void> {
  await runSql(postgres.url, 'SELECT pg_promote()');
  rmSync(standbySignal(postgres), { force: true });
}

function standbySignal({ data }: Servers['postgres']): string {
  return path.join(data, 'standby.signal');
}

async function shut({ postgres }: Servers, site: Site): Promise<void> {
  await runSql(postgres.url, `ALTER DATABASE ${nameOf(site)} ALLOW_CONNECTIONS false`);
  await runSql(
    postgres.url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${nameOf(site)}'`,
  );
}

function open({ postgres }: Servers, site: Site): Promise<void> {
  return runSql(postgres.url, `ALTER DATABASE ${nameOf(site)} ALLOW_CONNECTIONS true`);
}

function nameOf({ databaseUrl }: Site): string {
  return new URL(databaseUrl).pathname.slice(1);
}

async function newerSchema({ servers }: TrialContext): Promise<Trial> {
  const site = await createSite(servers, { more: light(servers) });
  const first = await drain(site);
  const version = "INSERT INTO actionstream.schema_migrations (version, name) VALUES (999, 'newer')";
  await runSql(site.databaseUrl, version);
  const refused = await site.start().done;
  await runSql(site.databaseUrl, 'DELETE FROM actionstream.schema_migrations WHERE version = 999');
  const after = await drain(site);
  const counts = await site.count();
  return {
    promised: 'a database of a newer program stops the start with exit 3 and is not touched',
    done: 'a run, a newer schema version in the database, a start, the version taken back, another run',
    counted: `exit ${first.code}, newer schema ${refused.code}, then ${after.code}; ${describeCounts(counts)}`,
    ok:
      refused.code === 3 &&
      refused.stderr.includes('SCHEMA_OUTDATED') &&
      after.code === 0 &&
      counts.faults.length === 0,
  };
}

async function dropSchema({ servers }: TrialContext): Promise<Trial> {
  const site = await createSite(servers, { postgres: { auto_migrate: true }, more: light(servers) });
  const run = site.start();
  await nextRecord(run, isClip, 6);
  await runSql(site.databaseUrl, 'DROP SCHEMA actionstream CASCADE');
  await nextRecord(run, isClip, 20);
  const end = await stop(run, 'SIGTERM');
  const { faults: gone } = await site.count();
  const rebuilt = await runCli(['events', 'rebuild', '--from', 'journal', '--force', site.config]);
  const counts = await site.count();
  return {
    promised:
      'a dropped schema costs the rows in it and holds up nothing; `events rebuild` fills it from the journal',
    done: 'DROP SCHEMA CASCADE during a run, SIGTERM, `events rebuild --force`',
    counted: `exit ${end.code} after ${end.ms} ms; before the rebuild: ${gone.join(', ')}; rebuild ${rebuilt.code}; ${describeCounts(counts)}`,
    ok:
      end.code === 0 &&
      end.ms < EXIT_MS &&
      gone.length > 0 &&
      rebuilt.code === 0 &&
      counts.faults.length === 0,
  };
}
