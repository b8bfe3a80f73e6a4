import { ActionstreamError } from '../../core/errors.ts';
import { saveCheckpoint } from './checkpoints.ts';
import type { ConsumerLag } from './types.ts';

interface ConsumersParts {
  /** Of those that the journal was opened with: the first record they still need. */
  readonly checkpoints: ReadonlyMap<string, number>;
  /** Of those left out, which keep their backlog while there is room. */
  readonly idle: ReadonlyMap<string, number>;
  readonly oldestAtMs: ReadonlyMap<string, number>;
  /** Where each began. */
  readonly since: ReadonlyMap<string, number>;
}

/** How far each consumer has come, in memory and on disk. */
export class Consumers {
  readonly #dir: string;
  readonly #checkpoints: Map<string, number>;
  readonly #idle: Map<string, number>;
  readonly #oldestAtMs: Map<string, number>;
  readonly #since: ReadonlyMap<string, number>;
  readonly #unreadable = new Map<string, number>();
  readonly #givenUp = new Map<string, number>();

  constructor(dir: string, { checkpoints, idle, oldestAtMs, since }: ConsumersParts) {
    this.#dir = dir;
    this.#checkpoints = new Map(checkpoints);
    this.#idle = new Map(idle);
    this.#oldestAtMs = new Map(oldestAtMs);
    this.#since = since;
  }

  checkpointOf(consumer: string): number {
    const offset = this.#checkpoints.get(consumer);
    if (offset !== undefined) return offset;
    throw new ActionstreamError(
      'INTERNAL',
      `journal ${this.#dir} was opened without the consumer ${consumer}`,
    );
  }

  /** Everything before it has been passed by all; `nextOffset` where there is no consumer. */
  passedOffset(nextOffset: number): number {
    return Math.min(nextOffset, ...this.#checkpoints.values());
  }

  /** Everything before it is wanted by nobody, the idle ones included. */
  unwantedOffset(nextOffset: number): number {
    return Math.min(this.passedOffset(nextOffset), ...this.#idle.values());
  }

  /** `oldestAtMs`: when the record at the new checkpoint was journalled, where there is one. */
  advance(consumer: string, nextOffset: number, oldestAtMs: number | undefined): void {
    this.#checkpoints.set(consumer, nextOffset);
    if (oldestAtMs !== undefined) this.#oldestAtMs.set(consumer, oldestAtMs);
  }

  /** Takes everything before `endOffset` from the idle ones. Returns what each lost. */
  giveUp(endOffset: number): ReadonlyMap<string, number> {
    const lost = new Map<string, number>();
    for (const [consumer, offset] of this.#idle) {
      if (offset >= endOffset) continue;
      lost.set(consumer, endOffset - offset);
      this.#idle.set(consumer, endOffset);
      this.#givenUp.set(consumer, (this.#givenUp.get(consumer) ?? 0) + endOffset - offset);
    }
    return lost;
  }

  noteUnreadable(consumer: string, records: number): void {
    this.#unreadable.set(consumer, (this.#unreadable.get(consumer) ?? 0) + records);
  }

  /** `acknowledged`: the journal's end at this moment. */
  save(consumer: string, acknowledged: number): Promise<void> {
    const nextOffset = this.#idle.get(consumer) ?? this.checkpointOf(consumer);
    return saveCheckpoint(this.#dir, consumer, {
      nextOffset,
      acknowledged,
      since: this.#since.get(consumer) ?? 0,
    });
  }

  /** Whoever had everything before `firstOffset` now has this record as the oldest one to come. */
  noteAppended(firstOffset: number, recordedAtMs: number): void {
    for (const [consumer, checkpoint] of this.#checkpoints) {
      if (checkpoint >= firstOffset) this.#oldestAtMs.set(consumer, recordedAtMs);
    }
  }

  lags(nextOffset: number): Readonly<Record<string, ConsumerLag>> {
    const lags = [...this.#checkpoints].map(([consumer, checkpoint]) => {
      const records = nextOffset - checkpoint;
      const oldestAtMs = records > 0 ? this.#oldestAtMs.get(consumer) : undefined;
      return [
        consumer,
        { nextOffset: checkpoint, records, ...(oldestAtMs === undefined ? {} : { oldestAtMs }) },
      ] as const;
    });
    return Object.fromEntries(lags);
  }

  /** Records that wait for each idle one. */
  idleRecords(nextOffset: number): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#idle].map(([consumer, offset]) => [consumer, nextOffset - offset]));
  }

  /** Records that each could not be given since the journal was opened: damaged ones, and those given up. */
  get losses(): {
    readonly unreadable: Readonly<Record<string, number>>;
    readonly givenUp: Readonly<Record<string, number>>;
  } {
    return {
      unreadable: Object.fromEntries(this.#unreadable),
      givenUp: Object.fromEntries(this.#givenUp),
    };
  }
}
