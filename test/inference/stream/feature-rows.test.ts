import { expect, test } from 'vitest';
import { moveRows, movesInPlace, type RowMove } from '../../../src/inference/stream/feature-rows.ts';
import { createRandomStream } from '../../../src/inference/weights/random-stream.ts';

const ROWS = 9;
const SIZE = 3;

test('moves that are allowed within one memory give what copies into another give', () => {
  const random = createRandomStream(1, 'moves');
  let allowed = 0;
  for (let round = 0; round < 4000; round += 1) {
    const moves: RowMove[] = [];
    for (let to = 0; to < ROWS; to += 1)
      if (random.word() % 3 > 0) moves.push({ from: Math.min(ROWS - 1, to + (random.word() % 4)), to });
    if (!movesInPlace(moves)) continue;
    allowed += 1;
    const memory = Float32Array.from({ length: ROWS * SIZE }, (_, i) => i);
    const apart = memory.slice();
    moveRows(apart, memory.slice(), moves, SIZE);

    moveRows(memory, memory, moves, SIZE);

    expect([...memory], JSON.stringify(moves)).toEqual([...apart]);
  }
  expect(allowed).toBeGreaterThan(100);
});

test('a row that was written is not read: such moves need another memory', () => {
  const shift: readonly RowMove[] = [0, 1, 2].map((to) => ({ from: to + 2, to }));
  const back: readonly RowMove[] = [1, 2, 3].map((to) => ({ from: to - 1, to }));
  const crossing: readonly RowMove[] = [
    { from: 4, to: 0 },
    { from: 2, to: 1 },
  ];

  expect([shift, back, crossing].map(movesInPlace)).toEqual([true, false, false]);
});
