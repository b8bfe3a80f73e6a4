import { isAborted, sleep } from '../core/abort.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { UpkeepState } from '../metrics/run-metrics.ts';
import type { PostgresConnection } from '../sink/postgres/connection.ts';
import { makePartitionsAhead } from '../sink/postgres/partitions.ts';
import { pruneDatabase, pruneOptionsOf, type Retention } from '../sink/postgres/prune.ts';

export interface HistoryUpkeepOptions {
  readonly postgres: PostgresConnection;
  readonly retention: Retention;
  readonly logger: Logger;
  /** True once Postgres has taken what waited for it; false where the signal comes first. */
  caughtUp(signal: AbortSignal): Promise<boolean>;
}

const EVERY_MS = 6 * 3_600_000;
const RETRY_MS = 600_000;
/** More than one period, and over the end of a day. */
const AHEAD_MS = 24 * 3_600_000;

/**
 * What a history in Postgres needs while the program runs: partitions for tomorrow, so that no record waits
 * for one, and the end of what is older than `retention` says. Several programs may do it on one database.
 */
export class HistoryUpkeep {
  readonly #options: HistoryUpkeepOptions;
  #state: UpkeepState = { succeeded: 0, failed: 0, droppedPartitions: 0, deletedRows: 0 };

  constructor(options: HistoryUpkeepOptions) {
    this.#options = options;
  }

  get state(): UpkeepState {
    return this.#state;
  }

  /** Begins once the sink has caught up, and ends with the signal. A failure is logged, and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    if (!(await this.#options.caughtUp(signal))) return;
    while (!isAborted(signal)) await sleep((await this.#once(signal)) ? EVERY_MS : RETRY_MS, signal);
  }

  async #once(signal: AbortSignal): Promise<boolean> {
    const { postgres, retention, logger } = this.#options;
    const nowMs = Date.now();
    try {
      await makePartitionsAhead(postgres, [nowMs, nowMs + AHEAD_MS], signal);
      const { dropped, deleted } = await pruneDatabase(postgres, pruneOptionsOf(retention, nowMs), signal);
      const rows = Object.values(deleted).reduce((sum, count) => sum + count, 0);
      if (dropped.length + rows > 0) logger.info({ dropped, deleted }, 'old history was deleted');
      this.#state = {
        ...this.#state,
        succeeded: this.#state.succeeded + 1,
        droppedPartitions: this.#state.droppedPartitions + dropped.length,
        deletedRows: this.#state.deletedRows + rows,
      };
      return true;
    } catch (error) {
      if (isAborted(signal)) return false;
      this.#state = { ...this.#state, failed: this.#state.failed + 1 };
      logger.error(
        { cause: messageOf(error), retry_s: RETRY_MS / 1000 },
        'the history in Postgres was not kept up',
      );
      return false;
    }
  }
}
