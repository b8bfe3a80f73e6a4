import { KEPT_CLIPS, type InferRequest } from '../engine.ts';

/** Which engine keeps the feature maps of which clips, and the tasks that wait to score such clips again. */
export class KeptClips<Task extends { readonly request: InferRequest }> {
  readonly #clips = new Map<string, { readonly streamId: string; readonly engine: number }>();
  /** Oldest first. */
  readonly #tasks: Task[] = [];

  /** Whether the engine keeps as many as it can. */
  isFull(engine: number): boolean {
    return [...this.#clips.values()].filter((clip) => clip.engine === engine).length >= KEPT_CLIPS;
  }

  add(clipId: string, streamId: string, engine: number): void {
    this.#clips.set(clipId, { streamId, engine });
  }

  /** The clip is kept no more. @returns the engine that kept it */
  remove(clipId: string): number | undefined {
    const engine = this.#clips.get(clipId)?.engine;
    this.#clips.delete(clipId);
    return engine;
  }

  clipsOf(streamId: string): readonly string[] {
    return [...this.#clips].flatMap(([clipId, clip]) => (clip.streamId === streamId ? [clipId] : []));
  }

  push(task: Task): void {
    this.#tasks.push(task);
  }

  /** Gives up a task. False where it was taken. */
  giveUp(task: Task): boolean {
    return this.#removeAt(this.#tasks.indexOf(task)) !== undefined;
  }

  /** The oldest task whose clip the engine keeps, or nobody: then the engine refuses it. */
  take(engine: number): Task | undefined {
    return this.#removeAt(
      this.#tasks.findIndex(({ request }) => {
        const keeper = this.#clips.get(request.clip.clipId)?.engine;
        return keeper === undefined || keeper === engine;
      }),
    );
  }

  #removeAt(index: number): Task | undefined {
    return index < 0 ? undefined : this.#tasks.splice(index, 1)[0];
  }
}
