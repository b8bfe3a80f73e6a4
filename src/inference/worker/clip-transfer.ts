import { at } from '../../core/at.ts';
import type { RunningRequest } from '../engine-core.ts';
import type { PixelClip } from '../engine.ts';
import type { WireCall } from './messages.ts';
import type { PixelSlot } from './pixel-slot.ts';
import { createSentFrames, type Payload } from './sent-frames.ts';

/** The way of clips to one inference process: of their pixels, only what it lacks goes through the slot. */
export class ClipTransfer {
  /** Whether the engine reuses steps of streams; then the process keeps their frames. */
  reuses = false;
  readonly #slot: PixelSlot;
  readonly #sent = createSentFrames();

  constructor(slot: PixelSlot) {
    this.#slot = slot;
  }

  /**
   * Puts what the process lacks of the clips into the slot, one after the other. Until `confirm`, nothing
   * is known of what it has of their streams.
   * @throws ActionstreamError ENGINE_FAILED where there is no room
   */
  write(calls: ReadonlyMap<number, RunningRequest>): readonly WireCall[] {
    const payloads = Array.from(calls.values(), ({ clip }): Payload =>
      this.reuses ? this.#sent.pack(clip) : { parts: [clip.data] },
    );
    this.#slot.write(payloads.flatMap(({ parts }) => parts));
    let end = 0;
    return Array.from(calls).map(
      (
        [
          id,
          {
            clip: { clipId, frames, height, width },
            sampler,
            maps,
          },
        ],
        index,
      ) => {
        const { place, parts } = at(payloads, index);
        const slotFrom = end;
        end += parts.reduce((sum, { length }) => sum + length, 0);
        const clip = { clipId, frames, height, width };
        return { id, clip, sampler, slotFrom, ...(place && { place }), ...(maps && { maps }) };
      },
    );
  }

  /** The process has all of the clip. */
  confirm(clip: PixelClip): void {
    if (this.reuses) this.#sent.confirm(clip);
  }

  /** All of the stream's next clip is sent. */
  forget(streamId: string): void {
    this.#sent.forget(streamId);
  }
}
