import { endsWithin } from './abort.ts';

export interface ResourcesOptions {
  /** Called before each disposal. */
  readonly onDispose?: (name: string) => void;
  /** Called where a disposal takes longer than `disposeWithinMs`; the next one begins then. */
  readonly onLate?: (name: string) => void;
  readonly disposeWithinMs?: number;
}

/** Owns what it is given and disposes it in reverse order, each one even where another fails or hangs. */
export class Resources implements AsyncDisposable {
  readonly #owned: { readonly name: string; readonly resource: AsyncDisposable }[] = [];
  readonly #options: ResourcesOptions;

  constructor(options: ResourcesOptions = {}) {
    this.#options = options;
  }

  add<T extends AsyncDisposable>(resource: T, name = 'a resource'): T {
    this.#owned.push({ name, resource });
    return resource;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { onDispose, onLate, disposeWithinMs } = this.#options;
    const failures: unknown[] = [];
    for (let owned = this.#owned.pop(); owned; owned = this.#owned.pop()) {
      const { name, resource } = owned;
      onDispose?.(name);
      try {
        const disposed = resource[Symbol.asyncDispose]();
        if (disposeWithinMs === undefined) await disposed;
        else if (!(await endsWithin(Promise.resolve(disposed), disposeWithinMs))) onLate?.(name);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0)
      throw failures[0] instanceof Error ? failures[0] : new Error(String(failures[0]));
  }
}
