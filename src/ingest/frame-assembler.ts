import type { Frame } from '../core/frame.ts';
import { createSamplingGrid } from './sampling-grid.ts';

export interface AssemblerOptions {
  readonly streamId: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly kind: 'live' | 'file';
  readonly startTimeMs: number;
  /** Milliseconds since 1970; a parameter so that tests own the time. */
  readonly now: () => number;
}

export interface Discontinuity {
  readonly why: 'start' | 'hole' | 'step_back';
  /** Capture time of the last frame before it; absent before the first frame of the stream. */
  readonly lastCapturedAtMs?: number;
  readonly capturedAtMs: number;
}

interface AssemblerHandlers {
  readonly onFrame: (frame: Frame) => void;
  /** Comes before the first frame of its segment. */
  readonly onDiscontinuity: (discontinuity: Discontinuity) => void;
  /** A picture was given up: out of order, or its slot is taken. */
  readonly onLate: () => void;
}

export interface FrameAssembler {
  /** Announces the presentation time of the next picture. */
  pts(ptsUs: number | undefined): void;
  /** Takes the next picture. Frames come out once both halves are there. */
  picture(data: Uint8Array): void;
  /** The source was opened anew: what comes next belongs to another segment. */
  restart(): void;
}

/**
 * Pairs pictures with their times and turns them into frames on a constant-rate grid.
 *
 * Within a segment: `ptsUs` = slots since its first frame ÷ fps, and capture time = the segment's origin + pts. The
 * origin of a live segment is the wall clock at its first picture; that of a file is its start time plus media time,
 * holes included, which goes on where the last segment ended when the media clock steps back. Neither
 * clock ever steps back across segments.
 */
export function createFrameAssembler(
  options: AssemblerOptions,
  { onFrame, onDiscontinuity, onLate }: AssemblerHandlers,
): FrameAssembler {
  const { streamId, width, height, fps, kind, now } = options;
  const grid = createSamplingGrid(fps);
  const times: (number | undefined)[] = [];
  const pictures: Uint8Array[] = [];
  let last: Frame | undefined;
  let nextIndex = 0;
  let segment = -1;
  /** Slot and capture time of the segment's first frame. */
  let origin = { slot: 0, capturedAtMs: 0 };
  /** The same for the stream, moved when the media clock steps back; files only. */
  let media = { slot: 0, capturedAtMs: options.startTimeMs };

  return {
    pts(ptsUs) {
      times.push(ptsUs);
      pair();
    },
    picture(data) {
      pictures.push(data);
      pair();
    },
    restart() {
      times.length = 0;
      pictures.length = 0;
      grid.reset();
    },
  };

  function pair(): void {
    while (times.length > 0) {
      const data = pictures.shift();
      if (!data) return;
      place(times.shift(), data);
    }
  }

  function place(ptsUs: number | undefined, data: Uint8Array): void {
    const placement = grid.place(ptsUs);
    switch (placement.kind) {
      case 'late':
        onLate();
        return;
      case 'next':
        for (let slot = placement.slot - placement.holds; slot < placement.slot; slot += 1)
          emit(slot, last?.data ?? data);
        emit(placement.slot, data);
        return;
      case 'discontinuity': {
        const lastCapturedAtMs = last?.capturedAtMs;
        segment += 1;
        origin = { slot: placement.slot, capturedAtMs: originOf(placement.slot, placement.why) };
        onDiscontinuity({
          why: placement.why,
          ...(lastCapturedAtMs === undefined ? {} : { lastCapturedAtMs }),
          capturedAtMs: origin.capturedAtMs,
        });
        emit(placement.slot, data);
      }
    }
  }

  function originOf(slot: number, why: Discontinuity['why']): number {
    const earliest = last ? last.capturedAtMs + 1000 / fps : -Infinity;
    if (kind === 'live') return Math.max(now(), earliest);
    if (why !== 'hole') media = { slot, capturedAtMs: last ? earliest : options.startTimeMs };
    return media.capturedAtMs + ((slot - media.slot) * 1000) / fps;
  }

  function emit(slot: number, data: Uint8Array): void {
    const ptsUs = Math.round(((slot - origin.slot) * 1_000_000) / fps);
    const capturedAtMs = origin.capturedAtMs + ptsUs / 1000;
    last = {
      streamId,
      index: nextIndex,
      segment,
      ptsUs,
      capturedAtMs,
      ingestedAtMs: now(),
      width,
      height,
      data,
    };
    nextIndex += 1;
    onFrame(last);
  }
}
