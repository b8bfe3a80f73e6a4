import { migrate } from '../sink/postgres/migrate.ts';
import { pruneDatabase, type PruneOptions, type PruneResult } from '../sink/postgres/prune.ts';
import type { AppContext } from './context.ts';
import { postgresOf, type Places } from './stores.ts';

/** `migrate`: the numbers of the migrations that were applied. */
export async function migrateDatabase(places: Places, { env }: AppContext): Promise<readonly number[]> {
  return migrate(postgresOf(places, env));
}

/** `prune` */
export async function prune(
  places: Places,
  options: PruneOptions,
  { env }: AppContext,
): Promise<PruneResult> {
  return pruneDatabase(postgresOf(places, env), options);
}
