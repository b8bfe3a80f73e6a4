import { loadConfig, type Config } from '../config/index.ts';
import { ActionstreamError } from '../core/errors.ts';
import type { KafkaSinkOptions } from '../sink/kafka/options.ts';
import type { PostgresConnection } from '../sink/postgres/connection.ts';
import type { AppContext } from './context.ts';

/** Where a command looks for records: a configuration file, or flags in its place. */
export interface Places {
  readonly configPath?: string;
  readonly postgres?: string;
  readonly kafka?: string;
  readonly journal?: string;
}

export interface Stores {
  readonly kafka?: KafkaSinkOptions;
  readonly postgres?: PostgresConnection;
  readonly journalDir?: string;
}

type Env = AppContext['env'];

/** Flags win over the file; DATABASE_URL stands in where neither names a database. */
export function storesOf(places: Places, env: Env): Stores {
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

/** @throws USAGE where nothing names one */
export function journalDirOf(places: Places, env: Env): string {
  const { journalDir } = storesOf(places, env);
  if (journalDir !== undefined) return journalDir;
  throw new ActionstreamError('USAGE', 'no journal: name a configuration file or --journal');
}

/** @throws USAGE where nothing names one */
export function kafkaOf(places: Places, env: Env): KafkaSinkOptions {
  const { kafka } = storesOf(places, env);
  if (kafka) return kafka;
  throw new ActionstreamError('USAGE', 'no broker: name a configuration file with sinks.kafka, or --kafka');
}

/** @throws USAGE where nothing names one */
export function postgresOf(places: Places, env: Env): PostgresConnection {
  const { postgres } = storesOf(places, env);
  if (postgres) return postgres;
  throw new ActionstreamError(
    'USAGE',
    'no database: name a configuration file with sinks.postgres, --postgres URL, or set DATABASE_URL',
  );
}

function postgresFrom(places: Places, config: Config | undefined, env: Env): PostgresConnection | undefined {
  if (places.postgres !== undefined) return { url: places.postgres };
  if (config) return config.sinks.postgres;
  const url = env['DATABASE_URL'];
  return url === undefined ? undefined : { url };
}
