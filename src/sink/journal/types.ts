import type { Logger } from '../../core/logger.ts';
import type { ActionEvent, PublishedRecord } from '../../core/records.ts';
import type { StoredRecord } from '../event-sink.ts';
import type { Damage } from './corruption.ts';

export interface JournalOptions {
  readonly dir: string;
  /**
   * Who must have passed a record before it may be deleted: one name a sink. One that is named for the first
   * time begins at the journal's end; one that is no longer named keeps its backlog until room is needed.
   */
  readonly consumers: readonly string[];
  /** Bytes on disk, delivered and not. Default 1 GiB. */
  readonly maxBytes?: number;
  /**
   * Bytes after which a new file begins; whole files are deleted. Default 16
   * MiB, at most a quarter of `maxBytes`.
   */
  readonly segmentBytes?: number;
  /** Share of `maxBytes` from which undelivered records make new clip statistics be refused. Default 0.8. */
  readonly shedAt?: number;
  /** Delivered segments older than this are deleted even when there is room. Default: never. */
  readonly retainMs?: number;
  /** false: survives a crash of the process but not of the machine. Default true. */
  readonly fsync?: boolean;
  /** A finished file that cannot be read for so long counts as damaged. Default 60 s. */
  readonly readPatienceMs?: number;
  readonly logger?: Logger;
}

export interface Appended {
  readonly firstOffset: number;
  /** `firstOffset − 1` where every record was shed. */
  readonly lastOffset: number;
  /** Clip statistics refused for want of room. */
  readonly shed: number;
}

export interface ConsumerLag {
  readonly nextOffset: number;
  readonly records: number;
  /** When the first undelivered record was journalled, ms since 1970. */
  readonly oldestAtMs?: number;
}

export interface JournalStats {
  readonly bytes: number;
  /** Bytes that may not be deleted yet. */
  readonly undeliveredBytes: number;
  readonly firstOffset: number;
  readonly nextOffset: number;
  readonly oldestUndeliveredAtMs?: number;
  readonly consumers: Readonly<Record<string, ConsumerLag>>;
  /** Records that wait for consumers which the journal knows and which were not named when it was opened. */
  readonly idleRecords: Readonly<Record<string, number>>;
  /** Damaged records that each consumer had to skip, since the journal was opened. */
  readonly unreadableRecords: Readonly<Record<string, number>>;
  /** Records taken from consumers that were not named, because room was needed. */
  readonly givenUpRecords: Readonly<Record<string, number>>;
  /** Clip statistics refused since the journal was opened. */
  readonly shedRecords: number;
  /** Appends that wait now for a sink to catch up or for disk space. */
  readonly waitingAppends: number;
  /** How often appends had to begin waiting for a sink or for disk space. */
  readonly stalls: number;
  readonly diskFullRetries: number;
}

/** The part of a journal that a delivery worker needs. */
export interface JournalConsumer {
  readonly nextOffset: number;
  checkpointOf(consumer: string): number;
  /** @throws UnreadableRecords where a part of a finished file is damaged; what lies behind it can be read */
  read(fromOffset: number, maxRecords: number): Promise<readonly StoredRecord[]>;
  /**
   * The consumer goes on behind the damage; what it lacks is counted. `nextOffset`: the
   * first record that it still needs, where some types of record lag before the damage.
   */
  skip(consumer: string, damage: Damage, nextOffset?: number): Promise<void>;
  /** Aborts where the journal can no longer be used; its reason is the ActionstreamError. */
  readonly failed: AbortSignal;
  /**
   * True once the record at `offset` can be read; false when the signal, the
   * journal's end or its failure came first.
   */
  waitFor(offset: number, signal: AbortSignal): Promise<boolean>;
  /** `nextOffset`: the first record that the consumer still needs. Durable when it resolves. */
  checkpoint(consumer: string, nextOffset: number): Promise<void>;
}

export interface Journal extends JournalConsumer, AsyncDisposable {
  readonly dir: string;
  /**
   * Durable when it resolves; appends made at the same time share one fsync. Where
   * undelivered records fill the journal, action events and stream status wait for
   * the sinks (back-pressure, never loss) and clip statistics are refused and
   * counted. A full disk is waited out. An append larger than the journal is refused.
   * @throws JOURNAL_UNWRITABLE, or ABORTED where the signal or dispose came before the write
   */
  append(records: readonly PublishedRecord[], signal?: AbortSignal): Promise<Appended>;
  /** Last event of every episode without an `ended`, oldest first: a restart closes them. */
  openEpisodes(): readonly ActionEvent[];
  /**
   * A run ends: what it still writes, the ends of its episodes above all, may exceed
   * `maxBytes` by an eighth or by 64 KiB, so that a stop waits for no sink and loses nothing.
   */
  allowOverrun(): void;
  stats(): JournalStats;
}
