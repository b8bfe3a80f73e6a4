import { ActionstreamError } from '../core/errors.ts';
import { RECORD_TYPES, type PublishedRecord, type RecordType } from '../core/records.ts';

/** A record with its place in the journal; offsets grow by one and never repeat. */
export interface StoredRecord {
  readonly offset: number;
  /** When the journal took it, ms since 1970: the same on every re-send. */
  readonly recordedAtMs: number;
  readonly record: PublishedRecord;
}

/**
 * Where records go. `write` resolves only when every record of the batch is durably
 * accepted; it is safe to repeat, and a batch keeps the journal's order per stream. A
 * record that the sink can never accept goes to its dead-letter place and does not
 * fail the others. Errors say by `retryable` whether the same batch may succeed later.
 */
export interface EventSink extends AsyncDisposable {
  /** kafka, postgres, ndjson: metric label and checkpoint name. */
  readonly name: string;
  /** Connects and checks what it needs (topics, schema). @throws with the cause and the remedy in one line */
  open(signal: AbortSignal): Promise<void>;
  /** @throws RecordsRefused where only some types were refused: the others of the batch are accepted. */
  write(batch: readonly StoredRecord[], signal: AbortSignal): Promise<void>;
  /**
   * By stream: how often another run of the program was found to write it too.
   * Only of sinks that can see that.
   */
  readonly foreignWrites?: ReadonlyMap<string, number>;
  /**
   * Records left out because retention had deleted them before. Only of sinks that have a retention of ours.
   */
  readonly leftOut?: number;
}

/**
 * A sink that keeps each type of record in a place of its own (a topic) refuses
 * some types and accepts the others.
 */
export class RecordsRefused extends ActionstreamError {
  readonly types: ReadonlySet<RecordType>;

  constructor(
    refusals: readonly { readonly types: readonly RecordType[]; readonly error: ActionstreamError }[],
  ) {
    const errors = refusals.map(({ error }) => error);
    // One error that somebody has to put right decides: it is not retried as if it could pass by itself.
    const [gravest = new ActionstreamError('INTERNAL', 'no refusal')] = errors.toSorted(
      (a, b) => Number(a.retryable) - Number(b.retryable),
    );
    super(gravest.code, [...new Set(errors.map(({ message }) => message))].join('; '), { cause: gravest });
    this.types = new Set(refusals.flatMap(({ types }) => types));
  }

  /** No type at all is accepted. */
  get isWhole(): boolean {
    return RECORD_TYPES.every((type) => this.types.has(type));
  }
}
