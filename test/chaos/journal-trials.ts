import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runCli } from '../support/cli.ts';
import { isClip, nextRecord } from '../support/runs.ts';
import { describeCounts, type Counts } from './count.ts';
import { frameStarts, parseJournal } from './journal-parser.ts';
import type { Trial } from './report.ts';
import { drain, type NamedTrial, type TrialContext } from './run-control.ts';
import { createSite, light, type Site, type SiteSettings } from './site.ts';

/** Damage to the journal's files, and a second user of them. */
export const JOURNAL_TRIALS: readonly NamedTrial[] = [
  { name: 'a bit flipped in a finished segment', run: flipInFinished },
  { name: 'a bit flipped in the segment being written', run: flipInActive },
  { name: 'a torn tail', run: tornTail },
  { name: 'a bad checkpoint', run: badCheckpoint },
  { name: 'a second process on one journal', run: secondProcess },
  { name: 'full by max_size, killed and started', run: fullAndKilled },
];

async function flipInFinished({ servers }: TrialContext): Promise<Trial> {
  const site = await backlogOfPostgres(servers, { journal: { segment_size: '16KiB' } });
  const [file = ''] = segmentsOf(site);
  const whole = parseJournal(site.journal).records.length;
  // Not the first frame: what opens the stream was delivered before Postgres froze.
  flipIn(file, frameStarts(readFileSync(file)).at(-2) ?? 0);
  const lost = whole - parseJournal(site.journal).records.length;
  const run = site.start();
  await run.said('records are not delivered');
  await nextRecord(run, isClip, 4);
  run.child.kill('SIGTERM');
  const { code } = await run.done;
  const counts = await site.countJournal();
  // Kafka had the damaged records before the damage.
  const faults = counts.faults.filter(
    (fault) => !fault.startsWith('journal:') && !/^Kafka .*unknown$/.test(fault),
  );
  return {
    promised:
      'damage in a finished file costs the records of its frame only: the others arrive, the log names it, exit 1 says so',
    done: `a bit flipped in a frame of ${lost} of ${whole} records that Postgres still lacked, then a run`,
    counted: `exit ${code}; ${describeCounts({ ...counts, faults })}`,
    ok: lost > 0 && code === 1 && faults.length === 0,
  };
}

async function flipInActive({ servers }: TrialContext): Promise<Trial> {
  const site = await backlogOfPostgres(servers);
  const file = segmentsOf(site).at(-1) ?? '';
  flipIn(file, frameStarts(readFileSync(file)).at(-2) ?? 0);
  const refused = await site.start().done;
  const salvaged = await runCli(['journal', 'salvage', site.config]);
  const first = await drain(site);
  const second = await drain(site);
  const counts = await site.countJournal();
  const faults = withoutLost(counts);
  return {
    promised:
      'damage in the file being written refuses the start and names `journal salvage`, which keeps every other record',
    done: 'a bit flipped in the newest segment, a start, `journal salvage`, two runs: the first says what a sink will never get',
    counted: `exit ${refused.code}, salvage ${salvaged.code}, then ${first.code} and ${second.code}; ${describeCounts({ ...counts, faults })}`,
    ok:
      refused.code === 1 &&
      /JOURNAL_CORRUPT.*journal salvage/s.test(refused.stderr) &&
      salvaged.code === 0 &&
      first.code === 1 &&
      second.code === 0 &&
      faults.length === 0,
  };
}

async function tornTail({ servers, random }: TrialContext): Promise<Trial> {
  const site = await backlogOfPostgres(servers);
  const file = segmentsOf(site).at(-1) ?? '';
  const bytes = readFileSync(file);
  const last = bytes.subarray(frameStarts(bytes).at(-1));
  const torn = 1 + Math.floor(random() * (last.length - 1));
  appendFileSync(file, last.subarray(0, torn));
  const after = await drain(site);
  const counts = await site.count();
  return {
    promised: 'a write that a crash cut short is cut off, and no acknowledged record is lost',
    done: `after kill -9, the first ${torn} of ${last.length} bytes of a frame at the end of the journal, then a run`,
    counted: `exit ${after.code}; ${describeCounts(counts)}`,
    ok: after.code === 0 && counts.faults.length === 0,
  };
}

async function badCheckpoint({ servers }: TrialContext): Promise<Trial> {
  const site = await backlogOfPostgres(servers);
  const file = path.join(site.journal, 'checkpoints', 'postgres.json');
  writeFileSync(file, '{"next_off');
  const refused = await site.start().done;
  rmSync(file);
  const again = await runCli(['events', 'redeliver', '--sink', 'postgres', '--from', '0', site.config]);
  const after = await drain(site);
  const counts = await site.count();
  return {
    promised:
      'a checkpoint that cannot be read refuses the start with the remedy, and the remedy loses nothing',
    done: 'a checkpoint cut short, a start, the file removed, `events redeliver --from 0`, a run',
    counted: `exit ${refused.code}, redeliver ${again.code}, then ${after.code}; ${describeCounts(counts)}`,
    ok:
      refused.code === 1 &&
      /JOURNAL_CORRUPT.*redeliver/s.test(refused.stderr) &&
      after.code === 0 &&
      counts.faults.length === 0,
  };
}

async function secondProcess({ servers }: TrialContext): Promise<Trial> {
  const site = await createSite(servers, { more: light(servers) });
  const run = site.start();
  await nextRecord(run, isClip, 2);
  const second = await site.start().done;
  await nextRecord(run, isClip, 4);
  run.child.kill('SIGTERM');
  const { code } = await run.done;
  const counts = await site.count();
  return {
    promised: 'a second process on one journal ends with exit 1, and the first one goes on',
    done: 'the same configuration started twice, then SIGTERM to the first',
    counted: `second exit ${second.code}, first ${code}; ${describeCounts(counts)}`,
    ok:
      second.code === 1 &&
      second.stderr.includes('JOURNAL_LOCKED') &&
      code === 0 &&
      counts.faults.length === 0,
  };
}

async function fullAndKilled({ servers }: TrialContext): Promise<Trial> {
  const settings = { journal: { max_size: '128KiB' }, more: light(servers, 4) };
  const site = await createSite(servers, settings);
  const run = site.start();
  await nextRecord(run, isClip, 2);
  servers.postgres.freeze();
  await run.said('the journal is full').finally(() => {
    run.child.kill('SIGKILL');
    servers.postgres.thaw();
  });
  await run.done;
  const after = await drain(site);
  const counts = await site.count();
  return {
    promised: 'a full journal with open episodes is delivered by the next start, which then watches again',
    done: 'Postgres frozen until a journal of 128 KiB was full, kill -9, thaw, another run',
    counted: `exit ${after.code}; ${describeCounts(counts)}`,
    ok: after.code === 0 && counts.faults.length === 0,
  };
}

/** A site whose run was killed with records in its journal that Postgres has not got, and Kafka has. */
async function backlogOfPostgres(
  servers: TrialContext['servers'],
  settings: SiteSettings = {},
): Promise<Site> {
  const site = await createSite(servers, { more: light(servers), ...settings });
  const run = site.start();
  await nextRecord(run, isClip, 2);
  servers.postgres.freeze();
  await nextRecord(run, isClip, 60).finally(() => {
    run.child.kill('SIGKILL');
    servers.postgres.thaw();
  });
  await run.done;
  return site;
}

/** The damaged records are gone from the journal: a sink that had them before has more, and none has less. */
function withoutLost({ faults }: Counts): readonly string[] {
  return faults.filter((fault) => !fault.includes('unknown') && !fault.startsWith('journal:'));
}

function segmentsOf({ journal }: Site): readonly string[] {
  return readdirSync(journal)
    .filter((name) => name.endsWith('.seg'))
    .sort()
    .map((name) => path.join(journal, name));
}

/** Inside the JSON of the frame's first record. */
function flipIn(file: string, frame: number): void {
  const bytes = readFileSync(file);
  const at = frame + 60;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}
