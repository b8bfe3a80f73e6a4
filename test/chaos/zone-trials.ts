import type { PublishedRecord } from '../../src/core/records.ts';
import { runSql } from '../support/names.ts';
import type { RunningCli } from '../support/cli.ts';
import { isClip, nextRecord, recordsOf } from '../support/runs.ts';
import { findFaketime, NO_FAKETIME } from './clock-trials.ts';
import { describeCounts } from './count.ts';
import { notRun, type Trial } from './report.ts';
import { EXIT_MS, stop, type NamedTrial, type TrialContext } from './run-control.ts';
import { createSite, light, type Servers, type Site } from './site.ts';
import { FRAMES_MS, longestHole, toldUnwatched } from './watched.ts';

/** Zones of the program and of the database, and the change to summer time. */
export const ZONE_TRIALS: readonly NamedTrial[] = [
  { name: 'the zones of program and database', run: compareZones },
  { name: 'summer time begins during a run', run: beginSummer },
];

/** Of the program and of the database. */
const ZONES = [
  { program: 'UTC', database: 'UTC' },
  { program: 'America/New_York', database: 'Asia/Kolkata' },
  { program: 'Australia/Lord_Howe', database: 'America/St_Johns' },
  { program: 'Europe/Berlin', database: 'Europe/Berlin' },
];
/** Recordings that begin two seconds before the clocks of Berlin change. */
const CHANGES = { spring: '2026-03-29T00:59:58Z', autumn: '2026-10-25T00:59:58Z' };

async function compareZones({ servers }: TrialContext): Promise<Trial> {
  const told = await Promise.all(ZONES.map((zones) => watchIn(servers, zones)));
  const [first] = told;
  const different = told.filter(({ records }) => records !== first?.records).length;
  const faults = told.flatMap(({ counts }) => counts.faults);
  return {
    promised: 'no zone of the program or the database changes a time, also while the clocks change',
    done: `two recordings over a change of Berlin's clocks in ${ZONES.length} pairs of zones`,
    counted: `${different} differ from the first; ${told.map(({ counts }) => describeCounts(counts)).join('; ')}`,
    ok: different === 0 && told.every(({ code, holds }) => code === 0 && holds) && faults.length === 0,
  };
}

async function watchIn(servers: Servers, { program, database }: (typeof ZONES)[number]) {
  const streams = Object.entries(CHANGES).map(([id, start_time]) => ({ id, url: servers.video, start_time }));
  const site = await createSite(servers, { more: { ...light(servers), streams } });
  await runSql(site.databaseUrl, `ALTER DATABASE ${nameOf(site)} SET TimeZone TO '${database}'`);
  const run = site.start({ TZ: program });
  const { code } = await run.done;
  const counts = await site.count();
  return { code, counts, records: timesOf(run), holds: recordsOf(run).filter(isClip).length > 100 };
}

/** What must not depend on a zone, in an order of its own: the streams come in any. */
function timesOf(run: RunningCli): string {
  return recordsOf(run)
    .flatMap(({ type, payload }) => {
      if (type === 'clip.stats') return [[payload.clip_id, payload.clip_start, payload.clip_end].join(' ')];
      if (type !== 'action.event') return [];
      const { episode_id: id, sequence, started_at: from, ended_at: to } = payload;
      return [[id, sequence, from, to].join(' ')];
    })
    .sort()
    .join('\n');
}

/** The program starts so long before the change; a machine that takes longer to its first clip gets more. */
const LEADS_S = [15, 60, 240];

/** The program's clock is set to some seconds before the change by an offset, which its children share. */
async function beginSummer({ servers }: TrialContext): Promise<Trial> {
  const promised = 'the change to summer time is no step of the clock: no record is dated an hour off';
  const done = "the clocks of the program's zone change during a run, then SIGTERM";
  const library = findFaketime();
  if (library === undefined) return notRun({ promised, done }, NO_FAKETIME);
  const changesAt = Date.parse('2026-03-29T01:00:00Z');
  for (const leadS of LEADS_S) {
    const site = await createSite(servers, { more: light(servers) });
    const offsetS = Math.round((changesAt - Date.now()) / 1000) - leadS;
    const run = site.start({
      TZ: 'Europe/Berlin',
      LD_PRELOAD: library,
      FAKETIME: `${offsetS < 0 ? '' : '+'}${offsetS}`,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    });
    const begun = startOf(await nextRecord(run, isClip));
    await nextRecord(run, (record) => isClip(record) && startOf(record) > changesAt + 3000);
    const end = await stop(run, 'SIGTERM');
    if (begun >= changesAt) continue;
    const { stderr } = await run.done;
    const counts = await site.count();
    const [hole, told] = [longestHole(run.lines, 'camera-0'), toldUnwatched(run.lines, 'camera-0')];
    const isSaid = stderr.includes('machine_clock_set');
    return {
      promised,
      done,
      counted: `first clip ${changesAt - begun} ms before the change; gaps of ${told} ms, ${hole} ms untold; exit ${end.code} after ${end.ms} ms; ${describeCounts(counts)}`,
      ok:
        !isSaid &&
        told < 3_000_000 &&
        hole <= FRAMES_MS &&
        end.code === 0 &&
        end.ms < EXIT_MS &&
        counts.faults.length === 0,
    };
  }
  throw new Error(`no clip within ${LEADS_S.at(-1)} s of the start`);
}

function startOf({ payload }: PublishedRecord): number {
  return 'clip_start' in payload ? Date.parse(payload.clip_start) : NaN;
}

function nameOf({ databaseUrl }: Site): string {
  return new URL(databaseUrl).pathname.slice(1);
}
