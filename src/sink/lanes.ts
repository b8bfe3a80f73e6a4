import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { backoffMs } from '../core/abort.ts';
import { toActionstreamError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { RecordType } from '../core/records.ts';
import type { StoredRecord } from './event-sink.ts';
import { createFailureReport, type FailureReport } from './failure-report.ts';
import { ensureFolder, readJsonFile, writeFileAtomic } from './journal/atomic-file.ts';

/** A type of record that the sink refused and that follows behind the others. */
interface LaggingLane {
  nextOffset: number;
  failures: number;
  /** Monotonic. */
  retryAtMs: number;
}

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

export interface LanesOptions {
  readonly sink: string;
  readonly logger: Logger;
  readonly backoff: Backoff;
  /** Default: in memory only. */
  readonly file: string | undefined;
}

/**
 * Where a sink has come to, where some types of record lag behind the others:
 * - all types move together until the sink refuses some: these stay at their first refused record;
 * - a lagging type is retried alone after a delay, from its own offset, until it has reached the others;
 * - the checkpoint is the offset of the last one, so the journal keeps what it still needs;
 * - the offsets are saved beside the checkpoint: after a restart, what was accepted is not sent again.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #reports = new Map<RecordType, FailureReport>();
  readonly #lagging: Map<RecordType, LaggingLane>;
  #reached: number;
  #isSaved: boolean;

  constructor(options: LanesOptions, state: LaneState) {
    this.#options = options;
    this.#reached = state.reached;
    this.#isSaved = true;
    const lanes = Object.entries(state.lagging) as [RecordType, number][];
    this.#lagging = new Map(
      lanes.map(([type, nextOffset]) => [type, { nextOffset, failures: 0, retryAtMs: 0 }]),
    );
  }

  /** First offset that no type has passed yet, apart from those that lag. */
  get reached(): number {
    return this.#reached;
  }

  /** First offset that some type still needs. */
  get checkpoint(): number {
    return Math.min(this.#reached, ...[...this.#lagging.values()].map(({ nextOffset }) => nextOffset));
  }

  isLagging(type: RecordType): boolean {
    return this.#lagging.has(type);
  }

  offsetOf(type: RecordType): number {
    return this.#lagging.get(type)?.nextOffset ?? this.#reached;
  }

  /** The lagging types whose time has come. */
  due(): readonly RecordType[] {
    const now = performance.now();
    return [...this.#lagging].filter(([, { retryAtMs }]) => retryAtMs <= now).map(([type]) => type);
  }

  /** Until the next lagging type is due; undefined where none lags. */
  get dueInMs(): number | undefined {
    if (this.#lagging.size === 0) return undefined;
    const first = Math.min(...[...this.#lagging.values()].map(({ retryAtMs }) => retryAtMs));
    return Math.max(0, first - performance.now());
  }

  advance(nextOffset: number): void {
    this.#reached = nextOffset;
  }

  /** A lagging type moves on alone; once it has reached the others it goes with them again. */
  follow(type: RecordType, nextOffset: number): void {
    const lane = this.#lagging.get(type);
    if (!lane) return;
    Object.assign(lane, { nextOffset, failures: 0, retryAtMs: 0 });
    if (nextOffset < this.#reached) return;
    this.#lagging.delete(type);
    this.#reportOf(type).recovered();
  }

  /** The sink refused this type, from the first of these records on. */
  refuse(
    type: RecordType,
    refusal: { readonly records: readonly StoredRecord[]; readonly error: unknown },
  ): void {
    const { records, error } = refusal;
    const offset = records.find(({ record }) => record.type === type)?.offset ?? this.#reached;
    const { nextOffset, failures } = this.#lagging.get(type) ?? { nextOffset: offset, failures: 0 };
    const { retryable, message } = toActionstreamError(error);
    const { backoff } = this.#options;
    const delayMs = retryable ? backoffMs(failures, backoff) : backoff.maxMs;
    this.#lagging.set(type, { nextOffset, failures: failures + 1, retryAtMs: performance.now() + delayMs });
    this.#reportOf(type).failed(message, delayMs);
  }

  get lastError(): string | undefined {
    return [...this.#reports.values()].map((report) => report.lastError()).find(Boolean);
  }

  #reportOf(type: RecordType): FailureReport {
    const { sink, logger } = this.#options;
    const report =
      this.#reports.get(type) ??
      createFailureReport({ sink, records: type }, logger, {
        failed: 'a sink refuses one type of record; it waits, and the others go on',
        recovered: 'the sink accepts this type of record again',
      });
    this.#reports.set(type, report);
    return report;
  }

  /** Durable when it resolves; to be called before the checkpoint moves. */
  async save(): Promise<void> {
    const { file } = this.#options;
    if (file === undefined) return;
    if (this.#lagging.size === 0) {
      if (this.#isSaved) await rm(file, { force: true });
      this.#isSaved = false;
      return;
    }
    const lagging = Object.fromEntries(
      [...this.#lagging].map(([type, { nextOffset }]) => [type, nextOffset] as const),
    );
    await ensureFolder(dirname(file));
    this.#isSaved = true;
    await writeFileAtomic(file, JSON.stringify({ reached: this.#reached, lagging }));
  }
}

interface LaneState {
  readonly reached: number;
  readonly lagging: Readonly<Partial<Record<RecordType, number>>>;
}

/**
 * The lanes of a sink whose checkpoint is `checkpoint`. A file that does not
 * belong to it (lost, damaged, or the checkpoint was set back) is left aside:
 * everything from the checkpoint is then sent again, under the same ids.
 */
export async function loadLanes(options: LanesOptions, checkpoint: number): Promise<Lanes> {
  const { file } = options;
  const content = file === undefined ? undefined : await readJsonFile(file).catch(() => undefined);
  if (isLaneState(content)) {
    const lanes = new Lanes(options, content);
    if (lanes.checkpoint === checkpoint) return lanes;
  }
  return new Lanes(options, { reached: checkpoint, lagging: {} });
}

function isLaneState(value: unknown): value is LaneState {
  if (typeof value !== 'object' || value === null || !('reached' in value) || !('lagging' in value))
    return false;
  const { reached, lagging } = value;
  if (typeof lagging !== 'object' || lagging === null) return false;
  const offsets: unknown[] = [reached, ...Object.values(lagging as Record<string, unknown>)];
  return offsets.every((offset) => Number.isSafeInteger(offset));
}
