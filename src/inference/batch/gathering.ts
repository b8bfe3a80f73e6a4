import type { StepHalves } from '../stream/steps.ts';
import type { BatchHalves, PixelPart, SampledClip } from './batch-halves.ts';
import { createMeetingPoint } from './meeting-point.ts';

/** One clip's access to halves that it shares with the others of its batch. */
export interface Member {
  /** Each call waits until all other members wait or have left, and is computed together with equal ones. */
  readonly halves: StepHalves;
  /** Pixels → logits, where the network has no SGS layer; waits likewise. */
  readonly whole?: (pixels: Uint8Array) => Promise<Float32Array>;
  /** Milliseconds of its equal share of the computations that it was part of. */
  readonly spent: { readonly lower: number; readonly upper: number };
  /** It asks for nothing more. */
  leave(): void;
}

/**
 * Makes of what several clips ask for at the same time few calls. Each clip runs its own course, which knows nothing of the others
 * (the parts of the lower half that it lacks, its sampler, the upper half), up to where it needs the network; there it waits until
 * every other one waits too or has left. Then the lower halves that are asked for are computed, those of equally many frames together; only
 * when nobody asks for a lower half any more the upper ones, those of equally many kept steps together.
 *
 * @param signals one a member: an aborted one is left out of the next computation, and its call rejects with ABORTED
 */
export function createGathering(halves: BatchHalves, signals: readonly AbortSignal[]): readonly Member[] {
  const atMost = halves.maxClips;
  const lower = createMeetingPoint({
    compute: (parts: readonly PixelPart[]) => halves.lower(parts),
    keyOf: ({ left, frames }) => `${left} ${frames}`,
    atMost,
  });
  const upper = createMeetingPoint({
    compute: (clips: readonly SampledClip[]) => halves.upper(clips),
    keyOf: ({ plan }) => `${plan.outputLength}`,
    atMost,
  });
  const whole = createMeetingPoint({
    compute: (clips: readonly Uint8Array[]) => halves.whole(clips),
    keyOf: () => '',
    atMost,
  });
  let present = signals.length;
  let serving = false;

  const serve = async (): Promise<void> => {
    const asked = lower.waiting + upper.waiting + whole.waiting;
    if (serving || present === 0 || asked < present) return;
    serving = true;
    if (lower.waiting + whole.waiting > 0) await Promise.all([lower.serve(), whole.serve()]);
    else await upper.serve();
    serving = false;
    await serve();
  };
  const asking = <A>(answer: Promise<A>): Promise<A> => {
    void serve();
    return answer;
  };

  return signals.map((signal) => {
    const spent = { lower: 0, upper: 0 };
    const spend = (half: keyof typeof spent) => (ms: number) => {
      spent[half] += ms;
    };
    return {
      halves: {
        lower: (pixels, frames, left) => asking(lower.ask({ pixels, frames, left }, signal, spend('lower'))),
        upper: (features, plan) => asking(upper.ask({ features, plan }, signal, spend('upper'))),
      },
      ...(!halves.split && {
        whole: (pixels: Uint8Array) => asking(whole.ask(pixels, signal, spend('lower'))),
      }),
      spent,
      leave() {
        present -= 1;
        void serve();
      },
    };
  });
}
