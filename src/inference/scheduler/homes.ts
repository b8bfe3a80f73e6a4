/**
 * Which engine serves which stream. A stream stays with its engine, which may keep feature maps of it, unless that one has a
 * backlog while another is idle; a stream that has moved stays for `restMs`, so that it does not go to and fro.
 */
export interface Homes {
  /** The stream's engine; a new stream gets the one with the fewest. */
  of(streamId: string): number;
  /** True where the idle engine may take the stream over: its own is busy and it has not moved of late. */
  mayMove(streamId: string, nowMs: number): boolean;
  move(streamId: string, engine: number, nowMs: number): void;
  forget(streamId: string): void;
}

export function createHomes(engines: number, restMs: number): Homes {
  const homes = new Map<string, { readonly engine: number; readonly movedAtMs: number }>();
  return {
    of(streamId) {
      const known = homes.get(streamId);
      if (known) return known.engine;
      const engine = emptiest();
      homes.set(streamId, { engine, movedAtMs: -Infinity });
      return engine;
    },
    mayMove: (streamId, nowMs) => nowMs - (homes.get(streamId)?.movedAtMs ?? -Infinity) >= restMs,
    move(streamId, engine, nowMs) {
      homes.set(streamId, { engine, movedAtMs: nowMs });
    },
    forget(streamId) {
      homes.delete(streamId);
    },
  };

  function emptiest(): number {
    const streams = Array<number>(engines).fill(0);
    for (const { engine } of homes.values()) streams[engine] = (streams[engine] ?? 0) + 1;
    return streams.indexOf(Math.min(...streams));
  }
}
