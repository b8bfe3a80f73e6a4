import { ActionstreamError } from '../../core/errors.ts';
import type { PublishedRecord } from '../../core/records.ts';
import { encodeRecord, entryBytes } from './entry.ts';
import type { Appended } from './types.ts';

/** One call of `append` that waits for its records to be on disk. */
export interface PendingAppend {
  readonly records: readonly PublishedRecord[];
  readonly encoded: readonly Uint8Array[];
  readonly bytes: number;
  readonly shed: number;
  /** Its caller waits no longer: nobody may write it any more. */
  readonly isWithdrawn: () => boolean;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: Error) => void;
}

// Appends are gathered into one entry up to this size, bytes.
const GROUP_BYTES = 1024 * 1024;

/** Appends in the order of their calls. */
export class AppendQueue {
  readonly #pending: PendingAppend[] = [];
  readonly #onWithdrawn: () => void;

  /** `onWithdrawn`: the first append may be another one now. */
  constructor(onWithdrawn: () => void) {
    this.#onWithdrawn = onWithdrawn;
  }

  get length(): number {
    return this.#pending.length;
  }

  get bytes(): number {
    return this.#pending.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Bytes that the first append needs on disk; 0 where none waits. */
  get neededBytes(): number {
    return this.#pending[0]?.bytes ?? 0;
  }

  push(
    records: readonly PublishedRecord[],
    { shed, signal }: { readonly shed: number; readonly signal: AbortSignal | undefined },
  ): Promise<Appended> {
    const encoded = records.map(encodeRecord);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(withdrawn());
        return;
      }
      const withdraw = (): void => {
        this.#withdraw(pending);
      };
      const stopListening = (): void => {
        signal?.removeEventListener('abort', withdraw);
      };
      const pending: PendingAppend = {
        records,
        encoded,
        bytes: entryBytes(encoded),
        shed,
        isWithdrawn: () => signal?.aborted ?? false,
        resolve: (appended) => {
          stopListening();
          resolve(appended);
        },
        reject: (error) => {
          stopListening();
          reject(error);
        },
      };
      this.#pending.push(pending);
      signal?.addEventListener('abort', withdraw, { once: true });
    });
  }

  /** Takes the first append and those behind it that fit into one entry of `room` bytes. */
  takeGroup(room: number): readonly PendingAppend[] {
    let bytes = 0;
    let count = 0;
    for (const pending of this.#pending) {
      bytes += pending.bytes;
      if (count > 0 && bytes > Math.min(GROUP_BYTES, room)) break;
      count++;
    }
    return this.#pending.splice(0, count);
  }

  /** Puts a group that was not written back in front, less what was withdrawn in the meantime. */
  giveBack(group: readonly PendingAppend[]): void {
    this.#pending.unshift(...group.filter((pending) => !pending.isWithdrawn()));
    for (const pending of group) if (pending.isWithdrawn()) pending.reject(withdrawn());
  }

  rejectFirst(error: Error): void {
    this.#pending.shift()?.reject(error);
  }

  rejectAll(error: Error): void {
    for (const { reject } of this.#pending.splice(0)) reject(error);
  }

  #withdraw(pending: PendingAppend): void {
    const place = this.#pending.indexOf(pending);
    // Being written: `giveBack` or its success decides.
    if (place < 0) return;
    this.#pending.splice(place, 1);
    pending.reject(withdrawn());
    this.#onWithdrawn();
  }
}

function withdrawn(): ActionstreamError {
  return new ActionstreamError('ABORTED', 'interrupted while waiting for room in the journal');
}
