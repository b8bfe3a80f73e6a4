import { ActionstreamError, messageOf } from '../../core/errors.ts';
import { silentLogger, type Logger } from '../../core/logger.ts';
import { recordIdOf } from '../../core/records.ts';
import type { EventSink, StoredRecord } from '../event-sink.ts';
import {
  createPool,
  sqlStateOf,
  toPostgresError,
  type PostgresClient,
  type PostgresConnection,
  type PostgresPool,
} from './connection.ts';
import { checkSchema, migratePool } from './migrate.ts';
import { createPartitions, type Partitions } from './partitions.ts';
import { writeRecords } from './write-batch.ts';

export interface PostgresSinkOptions extends PostgresConnection {
  /** Brings an older schema up to date at `open`; without it an older one is an error. */
  readonly autoMigrate?: boolean;
}

/** Builds the sink without I/O: one transaction a batch, one row an episode. */
export function createPostgresSink(options: PostgresSinkOptions, logger: Logger = silentLogger): EventSink {
  return new PostgresSink(options, logger);
}

class PostgresSink implements EventSink {
  readonly name = 'postgres';
  readonly #options: PostgresSinkOptions;
  readonly #logger: Logger;
  readonly #pool: PostgresPool;
  readonly #partitions: Partitions;
  #isChecked = false;

  constructor(options: PostgresSinkOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    this.#pool = createPool(options, { max: 2 });
    this.#partitions = createPartitions(this.#pool);
  }

  async open(signal: AbortSignal): Promise<void> {
    if (this.#isChecked) return;
    await this.#interruptible(signal, async () => {
      if (this.#options.autoMigrate) await migratePool(this.#pool);
      await checkSchema(this.#pool);
    });
    this.#isChecked = true;
  }

  async write(batch: readonly StoredRecord[], signal: AbortSignal): Promise<void> {
    await this.#interruptible(signal, async () => {
      await this.#ensurePartitions(batch);
      await this.#transaction(signal, async (client) => {
        if (await isAccepted(client, batch)) return;
        for (const stored of batch) await this.#writeOne(client, stored);
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end();
  }

  async #ensurePartitions(batch: readonly StoredRecord[]): Promise<void> {
    const events = batch.flatMap(({ record: { type, payload } }) =>
      type === 'action.event' ? [payload.started_at] : [],
    );
    const clips = batch.flatMap(({ record: { type, payload } }) =>
      type === 'clip.stats' ? [payload.clip_start] : [],
    );
    await this.#partitions.ensure('action_events', events);
    await this.#partitions.ensure('clip_stats', clips);
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

  /** The abort closes the connection: the server rolls back what was not committed. */
  async #transaction(signal: AbortSignal, work: (client: PostgresClient) => Promise<void>): Promise<void> {
    const client = await this.#pool.connect();
    let release = (error?: Error | boolean): void => {
      release = () => undefined;
      client.release(error);
    };
    const onAbort = (): void => {
      release(true);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await client.query('BEGIN');
      await work(client);
      await client.query('COMMIT');
      release();
    } catch (error) {
      // Also after a failed COMMIT, where nobody knows what happened: the batch is repeated and repeats are harmless.
      release(true);
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #interruptible(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    if (signal.aborted) throw interrupted();
    let onAbort: (() => void) | undefined;
    const abort = new Promise<never>((_, reject) => {
      onAbort = () => {
        reject(interrupted());
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      await Promise.race([work(), abort]);
    } catch (error) {
      if (sqlStateOf(error) === '23514') this.#partitions.forget();
      throw toPostgresError(error, this.#options);
    } finally {
      if (onAbort) signal.removeEventListener('abort', onAbort);
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

/** Data that the tables cannot hold: class 22 and 23. A missing partition (23514 without a constraint) is not that. */
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
