import type { ActionEvent, PublishedRecord } from '../../core/records.ts';

/** What the journal holds and a sink should have. */
export interface JournalContent {
  readonly records: PublishedRecord[];
  /** Last event of each episode. */
  readonly episodes: Map<string, ActionEvent>;
  readonly undelivered: number;
}

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
  /** Kafka: messages whose identity had come before. */
  readonly duplicates: number;
  /** Records that the sink has put aside because it can never accept them. */
  readonly deadLetters: number;
  readonly differences: readonly Difference[];
}
