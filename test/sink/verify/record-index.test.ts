import { expect, test } from 'vitest';
import { createRecordIndex } from '../../../src/sink/verify/record-index.ts';

test('every identity has its number, its payload, its marks and its place, however many there are', () => {
  const index = createRecordIndex();
  const ids = Array.from({ length: 5000 }, (_, n) => `record ${n}`);
  const numbers = ids.map((id, n) => index.add(id, `payload ${n}`));

  expect(numbers).toEqual(ids.map((_, n) => n));
  expect(index.size).toBe(5000);
  for (const [n, id] of ids.entries()) {
    expect(index.numberOf(id)).toBe(n);
    expect(index.hasPayload(n, `payload ${n}`)).toBe(true);
    expect(index.hasPayload(n, `payload ${n + 1}`)).toBe(false);
  }
  index.setPlace(4321, 7);
  expect([index.placeOf(4320), index.placeOf(4321)]).toEqual([0, 7]);
});

test('an identity that is there is not added again, and one that is not is not found', () => {
  const index = createRecordIndex();
  index.add('a', 'first');

  expect(index.add('a', 'second')).toBeUndefined();
  expect(index.hasPayload(0, 'first')).toBe(true);
  expect(index.numberOf('b')).toBeUndefined();
});

test('marks are set one by one and stay while the index grows', () => {
  const index = createRecordIndex();
  index.add('a');

  expect([index.mark(0, 1), index.mark(0, 1), index.mark(0, 4)]).toEqual([true, false, true]);
  for (let n = 0; n < 3000; n += 1) index.add(`more ${n}`);
  expect([1, 2, 4].map((mark) => index.isMarked(0, mark))).toEqual([true, false, true]);
});
