import type { PublishedRecord } from '../core/records.ts';

/** A record with its place in the journal; offsets grow by one and never repeat. */
export interface StoredRecord {
  readonly offset: number;
  /** When the journal took it, ms since 1970: the same on every re-send. */
  readonly recordedAtMs: number;
  readonly record: PublishedRecord;
}

/**
 * Where records go. `write` resolves only when every record of the batch is durably accepted; it is safe to repeat,
 * and a batch keeps the journal's order per stream. A record that the sink can never accept goes to its dead-letter
 * place and does not fail the others. Errors say by `retryable` whether the same batch may succeed later.
 */
export interface EventSink extends AsyncDisposable {
  /** kafka, postgres, ndjson: metric label and checkpoint name. */
  readonly name: string;
  /** Connects and checks what it needs (topics, schema). @throws with the cause and the remedy in one line */
  open(signal: AbortSignal): Promise<void>;
  write(batch: readonly StoredRecord[], signal: AbortSignal): Promise<void>;
}
