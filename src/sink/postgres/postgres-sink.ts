import { ActionstreamError, messageOf } from '../../core/errors.ts';
import { silentLogger, type Logger } from '../../core/logger.ts';
import { recordIdOf } from '../../core/records.ts';
import type { EventSink, StoredRecord } from '../event-sink.ts';
import {
  createDatabase,
  type PostgresClient,
  type PostgresConnection,
  type PostgresDatabase,
} from './connection.ts';
import { isSchemaGone, sqlStateOf, toPostgresError } from './errors.ts';
import { checkSchema, migrate } from './migrate.ts';
import { createPartitions, type Partitions } from './partitions.ts';
import { PrunedFilter } from './pruned-filter.ts';
import { writeRecords } from './write-batch.ts';
import { createStreamClaims, type ForeignWriter, type StreamClaims } from './writers.ts';

export interface PostgresSinkOptions extends PostgresConnection {
  /** Brings an older schema up to date at `open`; without it an older one is an error. */
  readonly autoMigrate?: boolean;
  /** How often the sink signs the streams that it writes (writers.ts). Default 5 s. */
  readonly claimsRenewMs?: number;
}

/** Builds the sink without I/O: one transaction a batch, one row an episode. */
export function createPostgresSink(options: PostgresSinkOptions, logger: Logger = silentLogger): EventSink {
  return new PostgresSink(options, logger);
}

/**
 * States of the schema:
 *
 * - *unknown*, at the start: `open` brings it up to date where it may, and checks it → known.
 * - *known*: batches are written. A table that is not there → unknown, and the batch begins anew, once.
 */
class PostgresSink implements EventSink {
  readonly name = 'postgres';
  readonly #options: PostgresSinkOptions;
  readonly #logger: Logger;
  readonly #database: PostgresDatabase;
  readonly #partitions: Partitions;
  readonly #claims: StreamClaims;
  readonly #pruned: PrunedFilter;
  readonly #foreignWrites = new Map<string, number>();
  #isSchemaKnown = false;

  constructor(options: PostgresSinkOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    this.#database = createDatabase(options, { max: 2 });
    this.#partitions = createPartitions(this.#database);
    this.#pruned = new PrunedFilter(this.#database, logger);
    this.#claims = createStreamClaims(this.#database, {
      ...(options.claimsRenewMs !== undefined && { renewMs: options.claimsRenewMs }),
    });
  }

  /** By stream: how often another run of the program was found to write it too. */
  get foreignWrites(): ReadonlyMap<string, number> {
    return this.#foreignWrites;
  }

  /** Records that `prune` has deleted before: a redelivery does not bring them back. */
  get leftOut(): number {
    return this.#pruned.leftOut;
  }

  async open(signal: AbortSignal): Promise<void> {
    if (this.#isSchemaKnown) return;
    if (this.#database.security === 'nothing') {
      this.#logger.warn(
        { sink: 'postgres' },
        'the certificate of Postgres is not checked: sslmode=verify-full or postgres.tls without insecure checks it',
      );
    }
    await this.#attempt(signal, () => this.#learnSchema(signal));
  }

  async write(batch: readonly StoredRecord[], signal: AbortSignal): Promise<void> {
    await this.#attempt(signal, async () => {
      try {
        await this.#writeBatch(batch, signal);
      } catch (error) {
        if (!isSchemaGone(error)) throw error;
        this.#logger.error({ sink: 'postgres', cause: messageOf(error) }, 'the Postgres schema is gone');
        this.#isSchemaKnown = false;
        this.#partitions.forget();
        await this.#writeBatch(batch, signal);
      }
      this.#report(await this.#claims.renew(batch, signal));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pruned.report();
    await this.#database.end();
  }

  async #learnSchema(signal: AbortSignal): Promise<void> {
    if (this.#options.autoMigrate) await migrate(this.#options, signal);
    await checkSchema(this.#database, signal);
    this.#isSchemaKnown = true;
  }

  async #writeBatch(batch: readonly StoredRecord[], signal: AbortSignal): Promise<void> {
    if (!this.#isSchemaKnown) await this.#learnSchema(signal);
    const kept = await this.#pruned.apply(batch, signal);
    await this.#ensurePartitions(kept, signal);
    await this.#database.transaction(
      async (client) => {
        if (await isAccepted(client, kept)) return;
        for (const stored of kept) await this.#writeOne(client, stored);
      },
      { signal },
    );
  }

  async #ensurePartitions(batch: readonly StoredRecord[], signal: AbortSignal): Promise<void> {
    const events = batch.flatMap(({ record: { type, payload } }) =>
      type === 'action.event' ? [payload.started_at] : [],
    );
    const clips = batch.flatMap(({ record: { type, payload } }) =>
      type === 'clip.stats' ? [payload.clip_start] : [],
    );
    await this.#partitions.ensure('action_events', events, signal);
    await this.#partitions.ensure('clip_stats', clips, signal);
  }

  /** A record that a table refuses goes to `dead_letters`, and the others of its batch to their tables. */
  async #writeOne(client: PostgresClient, stored: StoredRecord): Promise<void> {
    const { record } = stored;
    await client.query('SAVEPOINT record');
    try {
      await writeRecords(client, [stored]);
    } catch (error) {
      if (!isRecordRefused(error)) throw error;
      const reason = messageOf(error);
      await client.query('ROLLBACK TO SAVEPOINT record');
      await client.query(
        `INSERT INTO actionstream.dead_letters (record_id, record_type, reason, payload)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
        [textOf(recordIdOf(record)), record.type, textOf(reason), JSON.stringify(record.payload)],
      );
      this.#logger.warn(
        { sink: 'postgres', record_id: recordIdOf(record), reason },
        'Postgres refuses a record',
      );
    }
    await client.query('RELEASE SAVEPOINT record');
  }

  #report(writers: readonly ForeignWriter[]): void {
    for (const { streamId, instance } of writers) {
      this.#foreignWrites.set(streamId, (this.#foreignWrites.get(streamId) ?? 0) + 1);
      this.#logger.warn(
        { sink: 'postgres', stream_id: streamId, other_instance: instance },
        'another run of the program writes this stream as well: its events are there twice; give streams ids that differ',
      );
    }
  }

  async #attempt(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    try {
      signal.throwIfAborted();
      await work();
    } catch (error) {
      if (signal.aborted) throw interrupted();
      if (sqlStateOf(error) === '23514') this.#partitions.forget();
      throw toPostgresError(error, this.#options);
    }
  }
}

/** False: a record was refused, nothing of the batch is written and the transaction goes on. */
async function isAccepted(client: PostgresClient, batch: readonly StoredRecord[]): Promise<boolean> {
  await client.query('SAVEPOINT batch');
  try {
    await writeRecords(client, batch);
    return true;
  } catch (error) {
    if (!isRecordRefused(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT batch');
    return false;
  }
}

/**
 * Data that the tables cannot hold: class 22 and 23. A missing partition (23514
 * without a constraint) is not that.
 */
function isRecordRefused(error: unknown): boolean {
  const code = sqlStateOf(error);
  if (code === '23514') return hasConstraint(error);
  return code.startsWith('22') || code.startsWith('23');
}

function hasConstraint(error: unknown): boolean {
  return error instanceof Error && 'constraint' in error && error.constraint !== undefined;
}

// Postgres text holds everything except NUL.
function textOf(text: string): string {
  return text.replaceAll('\0', '\\0');
}

function interrupted(): ActionstreamError {
  return new ActionstreamError('ABORTED', 'interrupted while Postgres had not yet answered');
}
