import type { Cells } from '../core/cells.ts';
import type { Frame } from '../core/frame.ts';
import { largestChange, measureFrame, type FrameMeasures } from './frame-measures.ts';

/** Why a frame shows nothing that could be watched, the first that holds. */
export type CameraFault = 'black' | 'covered' | 'frozen' | 'defocused';

/** When a frame is a fault. Levels and contrast are shares of the whole range. */
export interface FaultLimits {
  readonly afterMs: number;
  readonly frozenAfterMs: number;
  readonly clearAfterMs: number;
  /** 98 % of the frame are darker. 0: never. */
  readonly blackBelow: number;
  /** Standard deviation of the levels. 0: never. */
  readonly coveredBelow: number;
  /** Sharpness over that which is usual for the camera. 0: never. */
  readonly defocusedBelow: number;
}

/** Often enough for limits of seconds, and seldom enough to cost nothing. */
const LOOK_MS = 500;
/** What ends a fault is so much more than what begins it. */
const HYSTERESIS = 1.25;
/** Levels of 255 by which a cell of a frozen frame may change: what a codec does to it between key frames. */
const FROZEN_CHANGE = 1;
/** Share of looks at a frozen frame that find every bit as before. With a sensor's noise hardly one does. */
const FROZEN_EQUAL = 0.5;
/** Looks before the usual sharpness of a camera is known, and how fast it follows. */
const LEARN_LOOKS = 60;
const LEARN_RATE = 1 / 1200;

/**
 * Watches over what one camera shows.
 *
 * - **clear**: a kind of fault that holds for its time begins it → faulty.
 * - **faulty**: another kind that holds for its time replaces it. When none holds for `clearAfterMs`, by
 *   limits a quarter wider → clear.
 *
 * Time is that of the frames that were seen, so a lost connection neither begins nor ends a fault. The usual
 * sharpness is learned from clear frames alone.
 */
export class FaultWatch {
  readonly #limits: FaultLimits;
  readonly #onChange: (fault: CameraFault | undefined) => void;
  #fault: CameraFault | undefined;
  #lookedAtMs = -Infinity;
  readonly #since = new Map<CameraFault, number>();
  #clearSince: number | undefined;
  #still: { readonly cells: Cells; readonly sinceMs: number; looks: number; equal: number } | undefined;
  #before = new Uint8Array(0);
  #seen: Uint8Array | undefined;
  #usual = 0;
  #looks = 0;

  constructor(limits: FaultLimits, onChange: (fault: CameraFault | undefined) => void) {
    this.#limits = limits;
    this.#onChange = onChange;
  }

  /** @param nowMs time of the frame: milliseconds of frames since the first */
  look(frame: Frame, nowMs: number): void {
    // The grid repeats frames of slow sources.
    if (nowMs - this.#lookedAtMs < LOOK_MS || frame.data === this.#seen) return;
    this.#seen = frame.data;
    this.#lookedAtMs = nowMs;
    const measures = measureFrame(frame);
    const isEqual = Buffer.compare(this.#before, frame.data) === 0;
    // The frame itself may be blanked in parts after this.
    this.#before = Uint8Array.from(frame.data);
    const found = this.#faultOf(measures, { nowMs, isEqual });
    this.#follow(found, nowMs);
    if (found === undefined && this.#fault === undefined) this.#learn(measures.sharpness);
  }

  /** The kind that has held for its time, as far as this look says. */
  #faultOf(
    measures: FrameMeasures,
    { nowMs, isEqual }: { readonly nowMs: number; readonly isEqual: boolean },
  ): CameraFault | undefined {
    const { afterMs, frozenAfterMs } = this.#limits;
    const stillMs = this.#stillFor(measures.cells, { nowMs, isEqual });
    const holding: Readonly<Record<CameraFault, boolean>> = {
      black: this.#isBelow(measures.brightest / 255, this.#limits.blackBelow, 'black'),
      covered: this.#isBelow(measures.contrast / 255, this.#limits.coveredBelow, 'covered'),
      frozen: stillMs >= frozenAfterMs,
      defocused: this.#isBelow(this.#relative(measures.sharpness), this.#limits.defocusedBelow, 'defocused'),
    };
    for (const kind of KINDS) {
      if (!holding[kind]) this.#since.delete(kind);
      else if (!this.#since.has(kind)) this.#since.set(kind, nowMs);
    }
    return KINDS.find((kind) => {
      const since = this.#since.get(kind);
      // A frame that is still has been so for its time already.
      return since !== undefined && (kind === 'frozen' || kind === this.#fault || nowMs - since >= afterMs);
    });
  }

  #isBelow(value: number, limit: number, kind: CameraFault): boolean {
    return value < (this.#fault === kind ? limit * HYSTERESIS : limit);
  }

  /** Below the usual only once that is known. */
  #relative(sharpness: number): number {
    return this.#looks < LEARN_LOOKS || this.#usual === 0 ? 1 : sharpness / this.#usual;
  }

  /** Compared with the first still frame, so that slow changes add up. */
  #stillFor(cells: Cells, { nowMs, isEqual }: { readonly nowMs: number; readonly isEqual: boolean }): number {
    if (!this.#still || largestChange(this.#still.cells, cells) > FROZEN_CHANGE)
      this.#still = { cells, sinceMs: nowMs, looks: 0, equal: 0 };
    const still = this.#still;
    still.looks += 1;
    if (isEqual) still.equal += 1;
    return still.equal >= FROZEN_EQUAL * still.looks ? nowMs - still.sinceMs : 0;
  }

  #follow(found: CameraFault | undefined, nowMs: number): void {
    if (found !== undefined) {
      this.#clearSince = undefined;
      this.#change(found);
      return;
    }
    this.#clearSince ??= nowMs;
    if (nowMs - this.#clearSince >= this.#limits.clearAfterMs) this.#change(undefined);
  }

  #change(fault: CameraFault | undefined): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    this.#onChange(fault);
  }

  /** The mean of the first looks, then slowly on. */
  #learn(sharpness: number): void {
    this.#looks += 1;
    this.#usual += (sharpness - this.#usual) * Math.max(LEARN_RATE, 1 / this.#looks);
  }
}

const KINDS: readonly CameraFault[] = ['black', 'covered', 'frozen', 'defocused'];
