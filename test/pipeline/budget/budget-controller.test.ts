import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createBudgetController,
  type BudgetReading,
} from '../../../src/pipeline/budget/budget-controller.ts';
import { createLoadWindow } from '../../../src/pipeline/budget/load-window.ts';
import { simulate } from './simulate.ts';

const calm: BudgetReading = { multiplyAddsPerSecond: 0, p95LatencyMs: 10, utilisation: 0.1, backlog: 0 };
const targets = { p95LatencyMs: 1000, maxDeltaScale: 4 };

describe('budget controller', () => {
  it('leaves δ alone while every target is met', () => {
    const controller = createBudgetController(targets);

    for (let ms = 0; ms < 60_000; ms += 250) expect(controller.observe(calm, ms)).toBe(1);
  });

  it('raises δ for a backlog before it is full, and at once to the top where clips are about to be lost', () => {
    const controller = createBudgetController(targets);
    const busy = { ...calm, utilisation: 0.95 };

    expect(controller.observe({ ...busy, backlog: 0.5 }, 0)).toBe(1);
    expect(controller.observe({ ...busy, backlog: 0.5 }, 250)).toBeGreaterThan(1);
    expect(controller.observe({ ...busy, backlog: 0.5 }, 500)).toBe(controller.deltaScale);
    expect(controller.observe({ ...busy, backlog: 0.75 }, 750)).toBe(4);
  });

  it.each([1, 2])('leaves δ alone where a clip waits a moment in a queue of %d', (capacity) => {
    const controller = createBudgetController(targets);

    for (let tick = 0; tick < 2400; tick++)
      controller.observe({ ...calm, backlog: tick % 10 === 3 ? 1 / capacity : 0 }, tick * 250);

    expect(controller.deltaScale).toBe(1);
  });

  it('raises δ for a backlog that stands, however idle engines seem to be', () => {
    const controller = createBudgetController(targets);

    for (let ms = 0; ms <= 1000; ms += 250) controller.observe({ ...calm, backlog: 1 }, ms);

    expect(controller.deltaScale).toBe(4);
  });

  it('is off where δ may not rise', () => {
    const controller = createBudgetController({ ...targets, maxDeltaScale: 1 });

    expect(controller.observe({ ...calm, p95LatencyMs: 9000, backlog: 1 }, 0)).toBe(1);
  });

  it('does not lower δ while engines have no time to spare', () => {
    const controller = createBudgetController(targets);
    for (const ms of [0, 250]) controller.observe({ ...calm, utilisation: 0.95, backlog: 0.75 }, ms);

    for (let ms = 500; ms < 60_000; ms += 250) controller.observe({ ...calm, utilisation: 0.95 }, ms);

    expect(controller.deltaScale).toBe(4);
  });

  it('whatever it reads, stays in its bounds and changes once a second at most, but for a critical backlog', () => {
    const reading = fc.record({
      multiplyAddsPerSecond: fc.double({ min: 0, max: 1e12, noNaN: true }),
      p95LatencyMs: fc.double({ min: 0, max: 1e5, noNaN: true }),
      utilisation: fc.double({ min: 0, max: 1, noNaN: true }),
      backlog: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.array(reading, { maxLength: 200 }),
        fc.double({ min: 1, max: 16, noNaN: true }),
        (readings, maxDeltaScale) => {
          const controller = createBudgetController({
            ...targets,
            multiplyAddsPerSecond: 1e11,
            maxDeltaScale,
          });
          let changedAtMs = -Infinity;
          readings.forEach((each, tick) => {
            const before = controller.deltaScale;
            const after = controller.observe(each, tick * 250);
            expect(after).toBeGreaterThanOrEqual(1);
            expect(after).toBeLessThanOrEqual(maxDeltaScale + 1e-9);
            if (after === before) return;
            if (each.backlog < 0.75) expect(tick * 250 - changedAtMs).toBeGreaterThanOrEqual(1000);
            changedAtMs = tick * 250;
          });
        },
      ),
    );
  });
});

describe('a compute budget under simulated load', () => {
  const machine = { streams: 12, strideMs: 600, queueClips: 4, lowerMs: 12, stepMs: 4, engines: 1 };

  it('raises δ before any clip is dropped where the load then fits, and lowers it again after', () => {
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 12 }), fc.integer({ min: 4, max: 14 }), (busySteps, streams) => {
        const fits = (streams * (machine.lowerMs + machine.stepMs * Math.ceil(busySteps / 4))) / 600 < 0.9;
        fc.pre(fits);
        const run = simulate(
          { ...machine, streams },
          { p95LatencyMs: 2400, maxDeltaScale: 4 },
          (s) => (s >= 20 && s < 60 ? busySteps : 1),
          200,
        );

        expect(run.dropped).toBe(0);
        expect(run.scaleAt(10)).toBe(1);
        expect(run.scaleAt(199)).toBe(1);
      }),
      { numRuns: 12 },
    );
  });

  it('drops clips only once δ is at its top', () => {
    const run = simulate({ ...machine, streams: 40 }, { p95LatencyMs: 2400, maxDeltaScale: 4 }, () => 12, 30);

    expect(run.dropped).toBeGreaterThan(0);
    expect(run.scaleAtFirstDrop).toBe(4);
  });

  it('holds a target of multiply-adds to within 10 % from 30 s after a step of load, without a drop', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.45, max: 0.9, noNaN: true }), (share) => {
        // What 12 streams cost at 10 steps a clip, and a part of it as the target.
        const full = (12 / 0.6) * (machine.lowerMs + 10 * machine.stepMs);
        const run = simulate(
          { ...machine, engines: 4 },
          { p95LatencyMs: 2400, maxDeltaScale: 8, multiplyAddsPerSecond: share * full },
          (s) => (s < 20 ? 1 : 10),
          140,
        );

        expect(run.dropped).toBe(0);
        expect(run.meanCost(50, 140) / (share * full)).toBeLessThan(1.1);
        expect(run.meanCost(50, 140) / (share * full)).toBeGreaterThan(0.85);
      }),
      { numRuns: 12 },
    );
  });

  it('does not swing: under a steady load δ changes ever more rarely', () => {
    const run = simulate({ ...machine, streams: 20 }, { p95LatencyMs: 2400, maxDeltaScale: 4 }, () => 8, 600);

    expect(run.changes.filter((s) => s > 300).length).toBeLessThanOrEqual(20);
  });
});

describe('load window', () => {
  it('counts the last seconds only, and latencies since the last change', () => {
    const window = createLoadWindow(2);
    const compute = { multiplyAdds: 1e6, lowerMs: 300, samplerMs: 100, upperMs: 100 };
    window.read(0);
    for (let ms = 0; ms < 20_000; ms += 500) window.add({ compute, latencyMs: ms }, ms);

    const reading = window.read(19_999);

    expect(reading.multiplyAddsPerSecond).toBeCloseTo(2e6, -4);
    expect(reading.utilisation).toBeCloseTo(0.5, 2);
    expect(reading.p95LatencyMs).toBe(19_500);
    window.resetLatencies();
    expect(window.read(19_999).p95LatencyMs).toBe(0);
    expect(window.read(19_999).multiplyAddsPerSecond).toBe(reading.multiplyAddsPerSecond);
  });
});
