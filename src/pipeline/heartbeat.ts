import { sleep } from '../core/abort.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { StreamStatus } from '../core/records.ts';
import { validUntil } from './stream-status.ts';
import type { RecordLog } from './types.ts';

/** Three of them may be late or lost before a state expires (VALID_MS of stream-status.ts). */
const REPEAT_MS = 8000;

interface HeartbeatOptions {
  readonly log: RecordLog;
  readonly logger: Logger;
  /** Sees each repeated status at once, also where the journal has no room for it. */
  readonly onStatus: (status: StreamStatus) => void;
  readonly intervalMs?: number;
}

/**
 * Repeats what streams last said of themselves, so that consumers notice when nobody says it any more.
 *
 * - A stream that has said `ended` is final: nobody watches it, and everybody knows. It is not repeated.
 * - All streams are repeated in one append. The next one waits for it: a full journal holds one, not many.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #last = new Map<string, StreamStatus>();
  #count = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** A stream has said something new. */
  onStatus(status: StreamStatus): void {
    if (status.state === 'gap') return;
    if (status.state === 'ended') this.#last.delete(status.stream_id);
    else this.#last.set(status.stream_id, status);
  }

  forget(streamId: string): void {
    this.#last.delete(streamId);
  }

  /** Never rejects: a journal that has failed ends the run by itself. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, logger, onStatus, intervalMs = REPEAT_MS } = this.#options;
    for (;;) {
      await sleep(intervalMs, signal);
      if (signal.aborted) return;
      const repeated = this.#repeat(Date.now());
      for (const status of repeated) onStatus(status);
      try {
        await log.append(repeated.map((payload) => ({ type: 'stream.status', payload })));
      } catch (error) {
        logger.error({ cause: messageOf(error) }, 'states of streams could not be repeated');
      }
    }
  }

  #repeat(nowMs: number): readonly StreamStatus[] {
    this.#count += 1;
    return [...this.#last.values()].map((status) => ({
      ...status,
      status_id: `${status.status_id}:${this.#count}`,
      repeats: status.status_id,
      valid_until: validUntil(nowMs),
    }));
  }
}
