import { ActionstreamError } from '../../core/errors.ts';
import { saveCheckpoint } from './checkpoints.ts';
import type { ConsumerLag } from './types.ts';

/** How far each consumer has come, in memory and on disk. */
export class Consumers {
  readonly #dir: string;
  readonly #checkpoints: Map<string, number>;
  readonly #oldestAtMs: Map<string, number>;

  constructor(
    dir: string,
    {
      checkpoints,
      oldestAtMs,
    }: {
      readonly checkpoints: ReadonlyMap<string, number>;
      readonly oldestAtMs: ReadonlyMap<string, number>;
    },
  ) {
    this.#dir = dir;
    this.#checkpoints = new Map(checkpoints);
    this.#oldestAtMs = new Map(oldestAtMs);
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

  /** `oldestAtMs`: when the record at the new checkpoint was journalled, where there is one. */
  advance(consumer: string, nextOffset: number, oldestAtMs: number | undefined): void {
    this.#checkpoints.set(consumer, nextOffset);
    if (oldestAtMs !== undefined) this.#oldestAtMs.set(consumer, oldestAtMs);
  }

  save(consumer: string): Promise<void> {
    return saveCheckpoint(this.#dir, consumer, this.checkpointOf(consumer));
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
}
