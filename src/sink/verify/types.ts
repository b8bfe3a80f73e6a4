/**
 * What is wrong with a record in a sink.
 *
 * - `missing`: the journal holds it and the sink does not, or holds an older event of the episode.
 * - `payload`: the sink holds other contents under its identity.
 * - `unknown`: it claims to come from this journal, which does not hold it.
 * - `order`: it lies before records of its stream that the journal took earlier.
 * - `topic`: it lies in the topic of another record type.
 * - `dead_letter`: it was put aside although the sink takes it, or not as it was.
 */
export type Problem = 'missing' | 'payload' | 'unknown' | 'order' | 'topic' | 'dead_letter';

/** One thing on which a sink and the journal do not agree. */
export interface Difference {
  readonly sink: 'kafka' | 'postgres';
  readonly problem: Problem;
  /** Record id, episode id or stream id. */
  readonly subject: string;
  readonly detail: string;
}

export interface SinkComparison {
  /** Journal records that were looked for. */
  readonly compared: number;
  /** Journal records that the sink has yet to receive. */
  readonly undelivered: number;
  /** Kafka: messages of these records whose identity had come before. */
  readonly duplicates: number;
  /** Records of this journal that the sink has put aside because it can never accept them. */
  readonly deadLetters: number;
  /** Records that retention has removed: before Kafka's log start, or by `prune` from Postgres. */
  readonly expired: number;
  /**
   * Records in the sink that this journal never held: of other instances, streams or times. Kafka: messages.
   */
  readonly foreign: number;
  /** All differences. */
  readonly differing: number;
  /** The first thousand of them. */
  readonly differences: readonly Difference[];
}
