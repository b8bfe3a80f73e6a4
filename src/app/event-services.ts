import type { DatabaseServices } from '../cli/database.ts';
import type { EventPlaces, EventServices } from '../cli/event-services.ts';
import { loadConfig, type Config } from '../config/index.ts';
import { ActionstreamError } from '../core/errors.ts';
import type { KafkaSinkOptions } from '../sink/kafka/options.ts';
import { resetCheckpoint } from '../sink/journal/offline.ts';
import { openJournalReader } from '../sink/journal/reader.ts';
import { checksumTables } from '../sink/postgres/checksum.ts';
import { migrate } from '../sink/postgres/migrate.ts';
import type { PostgresConnection } from '../sink/postgres/connection.ts';
import { pruneDatabase } from '../sink/postgres/prune.ts';
import { openPostgresReader } from '../sink/postgres/reader.ts';
import { exportEvents, queryEvents, toCsv } from '../sink/query.ts';
import { rebuildPostgres, type RebuildSource } from '../sink/rebuild.ts';
import { tailJournal, tailKafka } from '../sink/tail.ts';
import { verifyDelivery, type VerifyResult } from '../sink/verify.ts';
import type { TimeRange } from '../sink/verify/journal-view.ts';
import { verifyInSmallHeap } from './verify-process.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * `events …` on what a configuration file or flags name.
 * @param verifyUrl verify-entry as built: `verify` then runs in a process with a small heap, and else in this one
 */
export function createEventServices(env: Env, verifyUrl?: URL): EventServices {
  return {
    async query(places, filter, page) {
      await using reader = await openPostgresReader(postgresOf(places, env));
      return await queryEvents(reader, filter, page);
    },
    async *exportEvents(places, filter) {
      await using reader = await openPostgresReader(postgresOf(places, env));
      yield* exportEvents(reader, filter);
    },
    toCsv,
    tail(places, from, signal) {
      const { kafka, journalDir } = storesOf(places, env);
      if (places.journal === undefined && kafka) return tailKafka(kafka, { from, signal });
      if (journalDir !== undefined) return tailJournal(journalDir, { from, signal });
      throw new ActionstreamError('USAGE', 'name a configuration file, --kafka or --journal');
    },
    async verify(places, range, signal) {
      const bounded = verifyUrl && (await verifyInSmallHeap({ env, places, range }, verifyUrl, signal));
      return bounded ?? (await verifyPlaces(places, { env, range, signal }));
    },
    rebuild(places, { from, force }, signal) {
      const source = from === 'journal' ? journalSource(places, env) : kafkaSource(places, env);
      return rebuildPostgres({ source, postgres: postgresOf(places, env), force, signal });
    },
    checksum: (places) => checksumTables(postgresOf(places, env)),
    async redeliver(places, { sink, from }) {
      const { dir } = journalSource(places, env);
      const first = from ?? (await (await openJournalReader(dir)).bounds()).firstOffset;
      return resetCheckpoint(dir, sink, first);
    },
  };
}

function verifyPlaces(
  places: EventPlaces,
  { env, range, signal }: { readonly env: Env; readonly range: TimeRange; readonly signal: AbortSignal },
): Promise<VerifyResult> {
  const { kafka, postgres, journalDir } = storesOf(places, env);
  if (journalDir === undefined)
    throw new ActionstreamError('USAGE', 'name a configuration file or --journal');
  // A journal named by hand may have been put aside; the one of a configuration is in use.
  const isCurrent = places.journal === undefined;
  return verifyDelivery({
    ...{ journalDir, range, isCurrent, signal },
    ...(kafka && { kafka }),
    ...(postgres && { postgres }),
  });
}

function journalSource(places: EventPlaces, env: Env): Extract<RebuildSource, { kind: 'journal' }> {
  const { journalDir } = storesOf(places, env);
  if (journalDir !== undefined) return { kind: 'journal', dir: journalDir };
  throw new ActionstreamError('USAGE', 'no journal: name a configuration file or --journal');
}

function kafkaSource(places: EventPlaces, env: Env): RebuildSource {
  const { kafka } = storesOf(places, env);
  if (kafka) return { kind: 'kafka', kafka };
  throw new ActionstreamError('USAGE', 'no broker: name a configuration file with sinks.kafka, or --kafka');
}

/** `migrate` and `prune`. */
export function createDatabaseServices(env: Env): DatabaseServices {
  return {
    migrate: (places) => migrate(postgresOf(places, env)),
    prune: (places, options) => pruneDatabase(postgresOf(places, env), options),
  };
}

interface Stores {
  readonly kafka?: KafkaSinkOptions;
  readonly postgres?: PostgresConnection;
  readonly journalDir?: string;
}

/** Flags win over the file; DATABASE_URL stands in where neither names a database. */
function storesOf(places: EventPlaces, env: Env): Stores {
  const config = places.configPath === undefined ? undefined : loadConfig(places.configPath, { env });
  const kafka =
    places.kafka === undefined ? config?.sinks.kafka : { brokers: places.kafka.split(','), instance: 'cli' };
  const postgres = postgresFrom(places, config, env);
  const journalDir = places.journal ?? config?.journal.dir;
  return {
    ...(kafka && { kafka }),
    ...(postgres && { postgres }),
    ...(journalDir !== undefined && { journalDir }),
  };
}

function postgresOf(places: EventPlaces, env: Env): PostgresConnection {
  const { postgres } = storesOf(places, env);
  if (postgres) return postgres;
  throw new ActionstreamError(
    'USAGE',
    'no database: name a configuration file with sinks.postgres, --postgres URL, or set DATABASE_URL',
  );
}

function postgresFrom(
  places: EventPlaces,
  config: Config | undefined,
  env: Env,
): PostgresConnection | undefined {
  if (places.postgres !== undefined) return { url: places.postgres };
  if (config) return config.sinks.postgres;
  const url = env['DATABASE_URL'];
  return url === undefined ? undefined : { url };
}
