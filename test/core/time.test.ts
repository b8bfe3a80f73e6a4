import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration, parseInstant } from '../../src/core/time.ts';

describe('instants', () => {
  it.each<[string, string]>([
    ['2026-11-22T10:15:00Z', '2026-11-22T10:15:00.000Z'],
    ['2026-11-22t10:15:00.25z', '2026-11-22T10:15:00.250Z'],
    ['2026-11-22T10:15:00.123456+02:00', '2026-11-22T08:15:00.123Z'],
    ['2024-02-29T23:59:59-11:30', '2024-03-01T11:29:59.000Z'],
  ])('%s is %s', (text, wanted) => {
    expect(new Date(parseInstant(text) ?? NaN).toISOString()).toBe(wanted);
  });

  it.each([
    ['2026-11-22', '2026-11-22T10:15:00', '2026-11-22 10:15:00Z', '22.11.2026', '1', '1763806500', 'now', ''],
    ['2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', '2026-11-22T24:00:00Z', '2026-11-22T10:60:00Z'],
    ['2026-11-22T10:15:00+25:00', '2026-11-22T10:15Z', '2026-W47', 'Sun, 22 Nov 2026 10:15:00 GMT'],
  ])('nothing else is guessed: %s, %s, …', (...texts) => {
    for (const text of texts) expect(parseInstant(text), text).toBeUndefined();
  });

  it('what we print is read as the same instant', () => {
    const dates = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(dates, (date) => {
        expect(parseInstant(date.toISOString())).toBe(date.getTime());
      }),
    );
  });
});

describe('durations', () => {
  it.each<[string, number | undefined]>([
    ['500ms', 500],
    ['1.5h', 5_400_000],
    ['36500d', 36_500 * 86_400_000],
    ['36501d', undefined],
    [`${'9'.repeat(400)}d`, undefined],
    ['5', undefined],
    ['-5s', undefined],
    ['PT5S', undefined],
  ])('%s', (text, wanted) => {
    expect(parseDuration(text)).toBe(wanted);
  });
});
