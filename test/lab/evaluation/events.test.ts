import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventFigures } from '../../../src/lab/evaluation/event-figures.ts';
import { matchEvents, type Span } from '../../../src/lab/evaluation/match-events.ts';

const spans = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 12 })).map(([startS, length]) => ({
    startS,
    endS: startS + length,
  })),
  { maxLength: 6 },
);

describe('matching events', () => {
  test('pairs meet, nothing is in two pairs, and everything is accounted for', () => {
    fc.assert(
      fc.property(spans, spans, fc.constantFrom(0, 1.5), (truth, found, toleranceS) => {
        const { pairs, falseAlarms, repeats, missed } = matchEvents(truth, found, toleranceS);

        for (const pair of pairs) expect(meets(pair.truth, pair.found, toleranceS)).toBe(true);
        expect(new Set(pairs.map((pair) => pair.truth)).size).toBe(pairs.length);
        expect(new Set(pairs.map((pair) => pair.found)).size).toBe(pairs.length);
        expect(pairs.length + missed.length).toBe(truth.length);
        expect(pairs.length + falseAlarms.length + repeats.length).toBe(found.length);
        for (const report of falseAlarms)
          expect(truth.some((event) => meets(event, report, toleranceS))).toBe(false);
        for (const report of repeats)
          expect(truth.some((event) => meets(event, report, toleranceS))).toBe(true);
      }),
    );
  });

  test('there are as many pairs as can be', () => {
    fc.assert(
      fc.property(spans, spans, (truth, found) => {
        expect(matchEvents(truth, found, 1).pairs).toHaveLength(mostPairs(truth, found, 1));
      }),
    );
  });

  test('touching is not meeting, and the tolerance widens the truth', () => {
    const fall = [{ startS: 10, endS: 12 }];

    expect(matchEvents(fall, [{ startS: 12, endS: 13 }], 0).falseAlarms).toHaveLength(1);
    expect(matchEvents(fall, [{ startS: 13, endS: 14 }], 1.5).pairs).toHaveLength(1);
    expect(matchEvents(fall, [{ startS: 13.5, endS: 14 }], 1.5).falseAlarms).toHaveLength(1);
  });

  test('one episode over two falls finds one of them: an alarm that never ends detects nothing', () => {
    const falls = [
      { startS: 10, endS: 12 },
      { startS: 20, endS: 22 },
    ];
    const always = [{ startS: 0, endS: 3600 }];

    expect(matchEvents(falls, always, 0)).toMatchObject({ pairs: { length: 1 }, missed: { length: 1 } });
  });
});

describe('event figures', () => {
  const fall = (startS: number, endS: number, labelId = 3) => ({ labelId, startS, endS });
  const video = (truth: readonly ReturnType<typeof fall>[], found: readonly ReturnType<typeof fall>[]) => ({
    group: `v${truth.length}-${found.length}`,
    durationS: 1800,
    truth,
    found,
  });

  test('count what was found, missed, false and repeated, of one label only', () => {
    const figures = eventFigures(
      [
        video([fall(10, 12), fall(50, 52)], [fall(10.5, 12.5), fall(12.6, 13), fall(900, 901)]),
        video([fall(30, 31)], [fall(30, 31, 1)]),
      ],
      { labelId: 3, toleranceS: 1.5, seed: 1 },
    );

    expect(figures).toMatchObject({ events: 3, detected: 1, false_alarms: 1, repeats: 1, hours: 1 });
    expect(figures).toMatchObject({ precision: 0.3333, recall: 0.3333, f1: 0.3333, false_alarms_an_hour: 1 });
    expect(figures).toMatchObject({ onset_error_s: 0.5, offset_error_s: 0.5 });
  });

  test('say nothing of what cannot be known', () => {
    const figures = eventFigures([video([], [])], { labelId: 3, toleranceS: 1, seed: 1 });

    for (const figure of ['precision', 'recall', 'f1', 'onset_error_s'])
      expect(figures).not.toHaveProperty(figure);
    // Half an hour without an alarm leaves room for seven an hour.
    expect(figures.false_alarms_an_hour_interval).toEqual([0, 7.3778]);
  });
});

function meets(a: Span, b: Span, toleranceS: number): boolean {
  return a.startS - toleranceS < b.endS && b.startS < a.endS + toleranceS;
}

/** By trying everything. */
function mostPairs(truth: readonly Span[], found: readonly Span[], toleranceS: number): number {
  const [event, ...rest] = truth;
  if (!event) return 0;
  const taken = found.flatMap((report, index) =>
    meets(event, report, toleranceS) ? [1 + mostPairs(rest, found.toSpliced(index, 1), toleranceS)] : [],
  );
  return Math.max(mostPairs(rest, found, toleranceS), ...taken);
}
