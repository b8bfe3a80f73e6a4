import type { Logger } from '../../core/logger.ts';
import { monotonicMs } from '../../core/time.ts';
import type { StoredRecord } from '../event-sink.ts';
import type { PostgresDatabase } from './connection.ts';
import { readPrunings, type PruningRow, type Prunings } from './prunings.ts';

/** A prune beside a running sink is noticed after this long. */
const READ_EVERY_MS = 60_000;
const REPORT_EVERY_MS = 10_000;

/**
 * Leaves out what `prune` has deleted, so that an old record that is sent again
 * makes no row that retention ended.
 */
export class PrunedFilter {
  leftOut = 0;
  readonly #database: PostgresDatabase;
  readonly #logger: Logger;
  #prunings: Prunings | undefined;
  #readAtMs = -Infinity;
  #reported = 0;
  #reportedAtMs = -Infinity;

  constructor(database: PostgresDatabase, logger: Logger) {
    this.#database = database;
    this.#logger = logger;
  }

  async apply(batch: readonly StoredRecord[], signal: AbortSignal): Promise<readonly StoredRecord[]> {
    const prunings = await this.#read(signal);
    const kept = batch.filter((stored) => !prunings.covers(stored));
    this.leftOut += batch.length - kept.length;
    if (monotonicMs() - this.#reportedAtMs >= REPORT_EVERY_MS) this.report();
    return kept;
  }

  /** Logs what has been left out since the last time. */
  report(): void {
    if (this.leftOut === this.#reported) return;
    const records = this.leftOut - this.#reported;
    this.#logger.warn({ sink: 'postgres', records }, 'records that prune has deleted before are left out');
    this.#reported = this.leftOut;
    this.#reportedAtMs = monotonicMs();
  }

  async #read(signal: AbortSignal): Promise<Prunings> {
    if (this.#prunings && monotonicMs() - this.#readAtMs < READ_EVERY_MS) return this.#prunings;
    this.#prunings = await this.#database.transaction(
      (client) => readPrunings(async (sql) => (await client.query<PruningRow>(sql)).rows),
      { access: 'read', signal },
    );
    this.#readAtMs = monotonicMs();
    return this.#prunings;
  }
}
