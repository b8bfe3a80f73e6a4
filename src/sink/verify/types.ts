/** One thing on which a sink and the journal do not agree. */
export interface Difference {
  readonly sink: 'kafka' | 'postgres';
  readonly problem: 'missing' | 'payload' | 'order' | 'sums';
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
  /** Records that the sink has put aside because it can never accept them. */
  readonly deadLetters: number;
  /** All differences. */
  readonly differing: number;
  /** The first thousand of them. */
  readonly differences: readonly Difference[];
}
