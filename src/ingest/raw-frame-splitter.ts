/** Bytes in any portions → raw frames of exactly `frameBytes`, each in memory of its own. */
export interface RawFrameSplitter {
  push(chunk: Uint8Array): readonly Uint8Array[];
  /** Bytes of an unfinished raw frame. */
  readonly pendingBytes: number;
}

export function createRawFrameSplitter(frameBytes: number): RawFrameSplitter {
  let current = new Uint8Array(frameBytes);
  let filled = 0;
  return {
    push(chunk) {
      const complete: Uint8Array[] = [];
      for (let offset = 0; offset < chunk.length;) {
        const taken = Math.min(frameBytes - filled, chunk.length - offset);
        current.set(chunk.subarray(offset, offset + taken), filled);
        filled += taken;
        offset += taken;
        if (filled < frameBytes) break;
        complete.push(current);
        current = new Uint8Array(frameBytes);
        filled = 0;
      }
      return complete;
    },
    get pendingBytes() {
      return filled;
    },
  };
}
