import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Frame } from '../../src/core/frame.ts';
import { createFrameAssembler, type Discontinuity } from '../../src/ingest/frame-assembler.ts';
import { slotOf } from '../../src/ingest/sampling-filter.ts';

const FPS = 10;
const SLOT_MS = 1000 / FPS;
const START_MS = Date.parse('2026-11-22T10:15:00.000Z');
const RAW_FRAME_MS = 40;

interface Camera {
  readonly seconds: number;
  /** Stamp of the frame that was captured at `ms`; undefined where it sends none. */
  readonly stamp?: (ms: number) => number | undefined;
  /** How long that frame is on its way. */
  readonly delay?: (ms: number) => number;
  /** What the machine's wall clock is off by when the frame arrives. */
  readonly wallOff?: (ms: number) => number;
  readonly steer?: boolean;
}

interface Seen {
  readonly frames: readonly Frame[];
  readonly breaks: readonly Discontinuity[];
  readonly faults: readonly string[];
  /** Newest frame after each arrival, with the time of the arrival on the wall clock. */
  readonly arrivals: readonly { readonly atMs: number; readonly wallMs: number; readonly frame: Frame }[];
}

/** A camera of 25 frames a second, thinned as ffmpeg's filter does, seen by the assembler. */
function see({ seconds, stamp = (ms) => ms, delay = () => 50, wallOff = () => 0, steer }: Camera): Seen {
  const frames: Frame[] = [];
  const breaks: Discontinuity[] = [];
  const faults: string[] = [];
  const arrivals: { atMs: number; wallMs: number; frame: Frame }[] = [];
  let monotonic = 0;
  let wall = 0;
  const assembler = createFrameAssembler(
    {
      ...{ streamId: 'cam', width: 1, height: 1, fps: FPS, kind: 'live', startTimeMs: 0 },
      ...{ now: () => wall, monotonic: () => monotonic },
      ...(steer !== undefined && { steer }),
    },
    {
      onFrame: (frame) => frames.push(frame),
      onDiscontinuity: (discontinuity) => breaks.push(discontinuity),
      onLate: () => undefined,
      onClockFault: (fault, detail) => faults.push(`${fault}: ${detail}`),
    },
  );
  let lastSlot: number | undefined;
  for (let ms = 0; ms < seconds * 1000; ms += RAW_FRAME_MS) {
    const stamped = stamp(ms);
    const slot = stamped === undefined ? undefined : slotOf(stamped * 1000, FPS);
    if (slot !== undefined && slot === lastSlot) continue;
    lastSlot = slot;
    monotonic = Math.max(monotonic, ms + delay(ms));
    wall = START_MS + monotonic + wallOff(ms);
    assembler.pts(stamped === undefined ? undefined : Math.round(stamped * 1000));
    assembler.rawFrame(Uint8Array.of(0, 0, 0));
    const frame = frames.at(-1);
    if (frame) arrivals.push({ atMs: monotonic, wallMs: wall, frame });
  }
  return { frames, breaks, faults, arrivals };
}

/** How far event time is from arrival, from `afterS` on. */
function worstMs({ arrivals }: Seen, afterS: number): number {
  const late = arrivals.filter(({ atMs }) => atMs >= afterS * 1000);
  return late.reduce((worst, { wallMs, frame }) => Math.max(worst, Math.abs(wallMs - frame.capturedAtMs)), 0);
}

function expectOrder(frames: readonly Frame[]): void {
  frames.forEach((frame, index) => {
    const before = frames[index - 1];
    if (!before) return;
    expect(frame.index).toBe(before.index + 1);
    if (frame.segment === before.segment) {
      expect(frame.ptsUs - before.ptsUs).toBe(1_000_000 / FPS);
      expect(frame.capturedAtMs - before.capturedAtMs).toBeCloseTo(SLOT_MS, 3);
    } else expect(frame.ptsUs).toBe(0);
  });
}

describe('the clock of a camera', () => {
  it('is left alone where it keeps time, whatever the network adds', () => {
    const seen = see({ seconds: 120, delay: (ms) => 50 + ((ms * 7919) % 83) });

    expect(seen.faults).toEqual([]);
    expect(seen.frames).toHaveLength(1200);
    expect(worstMs(seen, 0)).toBeLessThanOrEqual(SLOT_MS + 83);
    expectOrder(seen.frames);
  });

  it.each([0.8, 0.95, 1.05, 1.25])('is followed where its stamps run at %f of real time', (pace) => {
    const seen = see({ seconds: 60, stamp: (ms) => 7000 + ms * pace });

    expect(worstMs(seen, 15)).toBeLessThanOrEqual(500);
    expect(seen.breaks).toHaveLength(1);
    expect(seen.faults).toHaveLength(1);
    expect(seen.faults[0]).toMatch(new RegExp(`^drift: .* ${pace.toFixed(2)}`));
    expectOrder(seen.frames);
    for (const { wallMs, frame } of seen.arrivals)
      expect(frame.uncertaintyMs).toBeGreaterThanOrEqual(Math.abs(wallMs - frame.capturedAtMs));
  });

  it('is followed over hours at 200 ppm of drift', () => {
    const seen = see({ seconds: 10_800, stamp: (ms) => ms * (1 - 200e-6) });

    expect(worstMs(seen, 60)).toBeLessThanOrEqual(DEAD_BAND_MS + SLOT_MS);
    expect(seen.faults).toEqual([
      "drift: the source's clock has moved by 1 s against the wall clock: event times follow the wall clock",
    ]);
  });

  it('is not taken for wrong while the network holds frames back', () => {
    const held = (ms: number): number => (ms > 20_000 && ms < 24_000 ? 24_000 - ms : 50);
    const seen = see({ seconds: 40, delay: held });

    expect(seen.faults).toEqual([]);
    expect(seen.frames).toHaveLength(400);
    expect(worstMs(seen, 30)).toBeLessThanOrEqual(SLOT_MS + 50);
  });

  it('is set right where the first frames were stored ones', () => {
    const stored = (ms: number): number => Math.max(50, 2000 - ms);
    const seen = see({ seconds: 30, delay: stored });

    expect(worstMs(seen, 15)).toBeLessThanOrEqual(DEAD_BAND_MS + SLOT_MS);
    expectOrder(seen.frames);
  });

  it('may jump: a segment begins, on the wall clock', () => {
    const seen = see({ seconds: 20, stamp: (ms) => (ms < 10_000 ? ms : ms + 100_000) });

    expect(seen.breaks.map(({ why }) => why)).toEqual(['start', 'hole']);
    expect(worstMs(seen, 0)).toBeLessThanOrEqual(SLOT_MS);
  });

  it('may be missing: the arrival of frames stands in', () => {
    const seen = see({ seconds: 20, stamp: () => undefined });

    expect(worstMs(seen, 0)).toBeLessThanOrEqual(2 * SLOT_MS);
    expect(seen.faults).toEqual(['no_times: frames come without times: their arrival stands in']);
    expectOrder(seen.frames);
  });

  it('is only measured where it is our own pace that delays frames', () => {
    const seen = see({ seconds: 30, delay: (ms) => ms / 4, steer: false });

    expect(seen.frames).toHaveLength(300);
    expect(seen.frames.at(-1)?.uncertaintyMs).toBeGreaterThan(6000);
  });
});

describe("the machine's clock", () => {
  it.each([3_600_000, -3_600_000])('may be set by %i ms: a segment begins at the new time', (stepMs) => {
    const seen = see({ seconds: 20, wallOff: (ms) => (ms < 10_000 ? 0 : stepMs) });

    expect(seen.breaks.map(({ why }) => why)).toEqual(['start', 'clock_set']);
    expect(seen.faults).toEqual([`machine_clock_set: the machine's clock was set by ${stepMs / 1000}.0 s`]);
    expect(worstMs(seen, 0)).toBeLessThanOrEqual(SLOT_MS);
    expectOrder(seen.frames);
  });

  it.each([1000, -1000])('is followed smoothly over a step of %i ms', (stepMs) => {
    const seen = see({ seconds: 90, wallOff: (ms) => (ms < 10_000 ? 0 : stepMs) });

    expect(seen.breaks).toHaveLength(1);
    expect(worstMs(seen, 60)).toBeLessThanOrEqual(DEAD_BAND_MS + SLOT_MS);
    expectOrder(seen.frames);
  });
});

it('does not stand still where the clock is set forward while event time is ahead of it', () => {
  // Stored frames are dated after their arrival; the machine's clock is then
  // set to the time of the last of them.
  const seen = see({
    seconds: 5,
    delay: (ms) => Math.max(1901 - ms, 0),
    wallOff: (ms) => (ms < 2000 ? 0 : 2001),
  });

  const times = seen.frames.map(({ capturedAtMs }) => capturedAtMs);
  expect(seen.breaks.map(({ why }) => why)).toEqual(['start', 'clock_set']);
  expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
});

describe('event time, whatever the camera, the network and the machine do', () => {
  it('grows slot by slot within a segment, and goes back only where the clock of the machine is set back', () => {
    fc.assert(
      fc.property(
        fc.record({
          pace: fc.double({ min: 0.7, max: 1.4, noNaN: true }),
          jitterMs: fc.integer({ min: 0, max: 300 }),
          storedMs: fc.integer({ min: 0, max: 3000 }),
          jumpAtS: fc.integer({ min: 1, max: 60 }),
          jumpMs: fc.integer({ min: -20_000, max: 20_000 }),
          setAtS: fc.integer({ min: 1, max: 60 }),
          setMs: fc.integer({ min: -10_000, max: 10_000 }),
          seed: fc.integer({ min: 1, max: 10_000 }),
        }),
        ({ pace, jitterMs, storedMs, jumpAtS, jumpMs, setAtS, setMs, seed }) => {
          const seen = see({
            seconds: 40,
            stamp: (ms) => 100_000 + ms * pace + (ms < jumpAtS * 1000 ? 0 : jumpMs),
            delay: (ms) => Math.max(storedMs - ms, 0) + ((ms * seed) % (jitterMs + 1)),
            wallOff: (ms) => (ms < setAtS * 1000 ? 0 : setMs),
          });

          expectOrder(seen.frames);
          const back = seen.frames.filter(
            (frame, n) => frame.capturedAtMs <= (seen.frames[n - 1]?.capturedAtMs ?? 0),
          );
          expect(back.length).toBeLessThanOrEqual(setMs < -2000 ? 1 : 0);
        },
      ),
      { numRuns: 60 },
    );
  });
});

const DEAD_BAND_MS = 100;
