/**
 * Tasks of many streams, handed out so that each stream gets an equal share of time, however many
 * tasks it has and however long they take (start-time fair queueing). Every stream has a tag: what
 * it has been charged so far. The ready task with the lowest tag is next; a stream that was away
 * starts level with those being served, so it neither saves up a claim nor pays for its absence.
 *
 * Tasks of one stream are handed out one after the other. Each is in one of these states:
 *
 * - **queued**, while an earlier task of its stream is ready or served;
 * - **ready**: it may be taken;
 * - **served**, from `take` to `charge`.
 */
export class FairQueue<T> {
  /** Tasks that are ready or queued, of each stream that has any. */
  readonly #tasks = new Map<string, T[]>();
  /**
   * Tags of the streams whose first task is ready, in the order in which it became so: that decides
   * between equal tags.
   */
  readonly #ready = new Map<string, number>();
  readonly #served = new Set<string>();
  readonly #charged = new Map<string, number>();
  /** The highest tag served so far. */
  #level = 0;

  /** Tasks that are ready or queued. */
  get length(): number {
    return [...this.#tasks.values()].reduce((sum, { length }) => sum + length, 0);
  }

  push(streamId: string, task: T): void {
    const tasks = this.#tasks.get(streamId);
    if (tasks) tasks.push(task);
    else this.#tasks.set(streamId, [task]);
    this.#makeReady(streamId);
  }

  /**
   * Takes out the next ready task among the streams that `accepts` names; undefined where none of
   * them has one.
   */
  take(accepts: (streamId: string) => boolean): Turn<T> | undefined {
    let next: { readonly streamId: string; readonly tag: number } | undefined;
    for (const [streamId, tag] of this.#ready) {
      if ((next === undefined || tag < next.tag) && accepts(streamId)) next = { streamId, tag };
    }
    if (!next) return undefined;
    const { streamId, tag } = next;
    const [task] = this.#tasks.get(streamId) ?? [];
    if (task === undefined) return undefined;
    this.remove(streamId, task);
    this.#served.add(streamId);
    this.#ready.delete(streamId);
    this.#level = Math.max(this.#level, tag);
    return { streamId, task };
  }

  /** Ready tasks of the streams that `accepts` names, in the order in which they became ready. */
  ready(accepts: (streamId: string) => boolean): readonly T[] {
    return [...this.#ready.keys()].flatMap((streamId) =>
      accepts(streamId) ? (this.#tasks.get(streamId) ?? []).slice(0, 1) : [],
    );
  }

  /** Gives up a task. False where it is served or gone. */
  remove(streamId: string, task: T): boolean {
    const tasks = this.#tasks.get(streamId) ?? [];
    const index = tasks.indexOf(task);
    if (index < 0) return false;
    tasks.splice(index, 1);
    if (tasks.length === 0) {
      this.#tasks.delete(streamId);
      this.#ready.delete(streamId);
    }
    return true;
  }

  /**
   * Ends the stream's served task, with its cost in any unit common to all; nothing where the
   * stream was forgotten.
   */
  charge(streamId: string, cost: number): void {
    const before = this.#charged.get(streamId);
    if (before === undefined) return;
    this.#charged.set(streamId, before + cost);
    this.#served.delete(streamId);
    this.#makeReady(streamId);
  }

  forget(streamId: string): void {
    for (const streams of [this.#tasks, this.#ready, this.#served, this.#charged]) streams.delete(streamId);
  }

  #makeReady(streamId: string): void {
    if (this.#served.has(streamId) || this.#ready.has(streamId) || !this.#tasks.has(streamId)) return;
    const tag = Math.max(this.#level, this.#charged.get(streamId) ?? 0);
    this.#charged.set(streamId, tag);
    this.#ready.set(streamId, tag);
  }
}

export interface Turn<T> {
  readonly streamId: string;
  readonly task: T;
}
