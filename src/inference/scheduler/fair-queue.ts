/**
 * Tasks of many streams, handed out so that each stream gets an equal share of time, however many tasks it has and however long
 * they take (start-time fair queueing). Every stream has a tag: what it has been charged so far. The waiting task with the
 * lowest tag is next; a stream that was away starts level with those being served, so it neither saves up a
 * claim nor pays for its absence. One task of a stream waits at a time.
 */
export interface FairQueue<T> {
  readonly length: number;
  push(streamId: string, task: T): void;
  /** Takes out the next task among the streams that `accepts` names; undefined where none of them waits. */
  take(accepts: (streamId: string) => boolean): Turn<T> | undefined;
  /** Waiting tasks of the streams that `accepts` names, in the order of arrival. */
  waiting(accepts: (streamId: string) => boolean): readonly T[];
  /** Gives up a waiting task. False where it does not wait (any more). */
  remove(streamId: string): boolean;
  /** Adds what the stream's last task has cost, in any unit common to all; nothing where the stream was forgotten. */
  charge(streamId: string, cost: number): void;
  forget(streamId: string): void;
}

export interface Turn<T> {
  readonly streamId: string;
  readonly task: T;
}

export function createFairQueue<T>(): FairQueue<T> {
  /** In the order of arrival, which decides between equal tags. */
  const waiting = new Map<string, { readonly task: T; readonly tag: number }>();
  const charged = new Map<string, number>();
  /** The highest tag served so far. */
  let level = 0;

  return {
    get length() {
      return waiting.size;
    },
    push(streamId, task) {
      if (waiting.has(streamId)) throw new RangeError(`a task of ${streamId} waits already`);
      const tag = Math.max(level, charged.get(streamId) ?? 0);
      charged.set(streamId, tag);
      waiting.set(streamId, { task, tag });
    },
    take(accepts) {
      let next: (Turn<T> & { readonly tag: number }) | undefined;
      for (const [streamId, { task, tag }] of waiting) {
        if ((next === undefined || tag < next.tag) && accepts(streamId)) next = { streamId, task, tag };
      }
      if (!next) return undefined;
      waiting.delete(next.streamId);
      level = Math.max(level, next.tag);
      return { streamId: next.streamId, task: next.task };
    },
    waiting: (accepts) => [...waiting].flatMap(([streamId, { task }]) => (accepts(streamId) ? [task] : [])),
    remove: (streamId) => waiting.delete(streamId),
    charge(streamId, cost) {
      const before = charged.get(streamId);
      if (before !== undefined) charged.set(streamId, before + cost);
    },
    forget(streamId) {
      waiting.delete(streamId);
      charged.delete(streamId);
    },
  };
}
