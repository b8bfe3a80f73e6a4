import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runSql } from '../support/names.ts';
import type { Trial } from './report.ts';
import { createSite } from './site.ts';
import { shortRun, type NamedTrial, type TrialContext } from './run-control.ts';

/** Damage that the proof must find. */
export const DAMAGE_TRIALS: readonly NamedTrial[] = [
  { name: 'a flipped bit in a row of Postgres', run: flipRow },
  { name: 'a flipped bit in the journal', run: flipBit },
];

/** The suite's own readers and `events verify` must both see it: a proof that cannot fail proves nothing. */
async function flipRow({ servers }: TrialContext): Promise<Trial> {
  const site = await createSite(servers);
  await shortRun(site);
  await runSql(
    site.databaseUrl,
    'UPDATE actionstream.clip_stats SET kept_steps = kept_steps # 1 WHERE clip_seq = 0',
  );
  const counts = await site.count();
  const { code } = await site.verify();
  return {
    promised: '`events verify` finds a changed row',
    done: 'one bit of `kept_steps` flipped in Postgres',
    counted: `strangers: ${counts.faults.join('; ')}; verify exit ${code}`,
    ok: counts.faults.length > 0 && code === 1,
  };
}

async function flipBit({ servers, random }: TrialContext): Promise<Trial> {
  const site = await createSite(servers);
  await shortRun(site);
  const [name = ''] = readdirSync(site.journal).filter((file) => file.endsWith('.seg'));
  const file = path.join(site.journal, name);
  const bytes = readFileSync(file);
  const at = Math.floor(random() * (bytes.length - 1));
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  const { code } = await site.verify();
  return {
    promised: 'damage of the journal is never called consistent',
    done: `a bit flipped at byte ${at} of ${bytes.length} of the journal`,
    counted: `verify exit ${code}`,
    ok: code === 1,
  };
}
