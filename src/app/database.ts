import { migrate } from '../sink/postgres/migrate.ts';
import { pruneDatabase, pruneOptionsOf, type PruneResult, type Retention } from '../sink/postgres/prune.ts';
import type { AppContext } from './context.ts';
import { postgresOf, type Places } from './stores.ts';

/** `migrate`: the numbers of the migrations that were applied. */
export async function migrateDatabase(places: Places, { env }: AppContext): Promise<readonly number[]> {
  return migrate(postgresOf(places, env));
}

/** `prune` */
export async function prune(places: Places, ages: Retention, { env }: AppContext): Promise<PruneResult> {
  return pruneDatabase(postgresOf(places, env), pruneOptionsOf(ages, Date.now()));
}
