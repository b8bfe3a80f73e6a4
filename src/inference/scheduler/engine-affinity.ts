/**
 * Which engine serves which stream. A stream stays with its engine, which may cache feature maps of
 * it, unless that one has a backlog while another is idle; a stream that has moved stays for
 * `restMs`, so that it does not go to and fro.
 */
export class EngineAffinity {
  readonly #engines: number;
  readonly #restMs: number;
  readonly #streams = new Map<string, { readonly engine: number; readonly movedAtMs: number }>();

  constructor(engines: number, restMs: number) {
    this.#engines = engines;
    this.#restMs = restMs;
  }

  /** The stream's engine; a new stream gets the one with the fewest. */
  of(streamId: string): number {
    const known = this.#streams.get(streamId);
    if (known) return known.engine;
    const engine = this.#leastUsed();
    this.#streams.set(streamId, { engine, movedAtMs: -Infinity });
    return engine;
  }

  /** True where the stream has not moved of late. */
  mayMove(streamId: string, nowMs: number): boolean {
    return nowMs - (this.#streams.get(streamId)?.movedAtMs ?? -Infinity) >= this.#restMs;
  }

  move(streamId: string, engine: number, nowMs: number): void {
    this.#streams.set(streamId, { engine, movedAtMs: nowMs });
  }

  forget(streamId: string): void {
    this.#streams.delete(streamId);
  }

  #leastUsed(): number {
    const streams = Array<number>(this.#engines).fill(0);
    for (const { engine } of this.#streams.values()) streams[engine] = (streams[engine] ?? 0) + 1;
    return streams.indexOf(Math.min(...streams));
  }
}
