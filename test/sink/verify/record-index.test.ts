import { expect, test } from 'vitest';
import { createColumn, createRecordIndex } from '../../../src/sink/verify/record-index.ts';

test('every identity keeps its number while the index grows', () => {
  const index = createRecordIndex();
  const ids = Array.from({ length: 70_000 }, (_, n) => `record ${n}`);

  expect(ids.map((id) => index.add(id))).toEqual(ids.map((_, n) => n));
  expect(index.size).toBe(70_000);
  expect(ids.every((id, n) => index.numberOf(id) === n)).toBe(true);
});

test('an identity that is there keeps its number, and one that is not has none', () => {
  const index = createRecordIndex();
  index.add('a');
  index.add('b');

  expect([index.add('a'), index.size]).toEqual([0, 2]);
  expect(index.numberOf('c')).toBeUndefined();
});

test('a column holds some numbers a record, 0 until they are set', () => {
  const column = createColumn(Uint32Array, 2);
  column.set(0, [1, 2]);
  column.set(50_000, [3, 4]);

  expect([column.value(0), column.value(1), column.value(50_000)]).toEqual([1, 0, 3]);
  expect([...column.get(50_000)]).toEqual([3, 4]);
  expect([column.equals(50_000, [3, 4]), column.equals(50_000, [3, 5])]).toEqual([true, false]);
});
