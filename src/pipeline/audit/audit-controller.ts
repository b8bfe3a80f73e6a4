import { createAgreementWindow, windowSize, type AgreementWindow } from './agreement-window.ts';

export interface AuditTargets {
  /** Share of clips that are audited, above 0 and at most 1. */
  readonly share: number;
  /** The floor: least share of decisions that must be those of the dense network, below 1. */
  readonly agreement: number;
}

/** An audited clip: how far each δ decides as the dense network does. */
export interface AuditedClip {
  /** Clips of one block overlap. */
  readonly block: string;
  /** One a rung, from the configured δ down, without the dense one. */
  readonly shares: readonly number[];
}

export interface AuditReading {
  /** The rung in use: 0 is the configured δ, the last one is dense. */
  readonly rung: number;
  /** Of the rung in use, over the audited clips of late; absent before the first one. */
  readonly agreement?: number;
  /** Its lower confidence bound. */
  readonly agreementLow?: number;
  /** Share of clips to audit at present. */
  readonly share: number;
}

export interface AuditController {
  observe(clip: AuditedClip): void;
  read(): AuditReading;
}

/** In doubt so many times as many clips are audited. */
const EAGER = 10;
/** Clips audited between two steps up. */
const REST = 10;
/** Of the way from the floor to the bound of full agreement: from there up δ may rise. */
const RESUME = 0.5;

/**
 * Which δ keeps its promise on this stream. It is `calibrate`, on live footage and without end: every audited
 * clip is tried at every rung, so each rung has evidence of its own, and δ rises only where the larger one
 * was seen to agree.
 *
 * A rung **holds** where the lower confidence bound of its agreement is at the floor or above. The dense rung
 * agrees by definition. Until the window is full, blocks that are missing count as agreeing: the configured δ
 * is believed until footage says otherwise. With each audited clip, in this order:
 *
 * - **lowered**: the rung in use does not hold. δ falls at once to the largest rung that holds and below
 *   which every rung does; to the dense one where none does.
 * - **raised**: the next rung up and all below it hold with a margin (RESUME), on audited clips alone, and
 *   REST clips were audited since the last change. δ rises by one rung. The margin is the hysteresis.
 * - **held**: otherwise.
 *
 * At the start, in doubt (the rung in use has lost its margin) and after a change EAGER times as many clips
 * are audited, for as many clips as a window has blocks. So a change of the scene is judged in minutes, and a
 * stream that stays lowered costs no more than others for ever.
 *
 * A clip makes `decisions` decisions: one a label, or one in all under softmax.
 *
 * Each bound is for one look. Looking after every clip makes lowering more frequent than 1 in 40, which costs
 * computing and no accuracy.
 */
export function createAuditController(
  { share, agreement: floor }: AuditTargets,
  { rungs, decisions }: { readonly rungs: number; readonly decisions: number },
): AuditController {
  const dense = rungs - 1;
  const size = windowSize(floor, decisions);
  const windows: readonly AgreementWindow[] = Array.from({ length: dense }, () =>
    createAgreementWindow(size, decisions),
  );
  const resume = floor + RESUME * (createAgreementWindow(size, decisions).filledLow - floor);
  let rung = 0;
  let sinceChange = 0;
  let eager = size;
  let doubted = false;

  const filledLow = (at: number): number => windows[at]?.filledLow ?? 1;
  const seenLow = (at: number): number => windows[at]?.seen?.low ?? 0;

  /** The largest rung at and below which all bounds reach the line. */
  const largest = (low: (at: number) => number, line: number): number => {
    let at = dense;
    while (at > 0 && low(at - 1) >= line) at -= 1;
    return at;
  };

  const change = (to: number): void => {
    rung = to;
    sinceChange = 0;
    eager = size;
  };

  return {
    observe({ block, shares }) {
      windows.forEach((window, at) => {
        window.add(block, shares[at] ?? 0);
      });
      sinceChange += 1;
      eager = Math.max(0, eager - 1);
      if (filledLow(rung) < floor) change(largest(filledLow, floor));
      else if (sinceChange >= REST && largest(seenLow, resume) < rung) change(rung - 1);
      const doubts = filledLow(rung) < resume;
      if (doubts && !doubted) eager = size;
      doubted = doubts;
    },
    read() {
      const seen = rung === dense ? { mean: 1, low: 1 } : windows[rung]?.seen;
      return {
        rung,
        ...(seen && { agreement: seen.mean, agreementLow: seen.low }),
        share: Math.min(1, eager > 0 ? EAGER * share : share),
      };
    },
  };
}
