import { expect, test } from 'vitest';
import { tableLines } from '../../../bench/gpu/print.ts';

test('a line of the GPU table pools the rounds and counts every clip of a batch', () => {
  const rounds = [
    { ms: [8, 9], innerMs: [5, 7] },
    { ms: [10, 11, 40], innerMs: [6] },
  ];
  const one = { name: 'torch graph', batch: 8, stride: 4, readyS: 1, difference: 0.00042, rounds };

  const lines = tableLines({
    ...{ name: 'net', multiplyAdds: 1.76e9, inputSteps: 12, scale: 4.6012 },
    ...{ cases: [one], together: {} },
  });

  expect(lines[0]).toBe('net: 1.76 G multiply-adds, largest logit 4.60');
  // batch, steps kept, median, 5 to 95 %, inside, clips a second, difference
  expect(lines[2]?.split(/\s+/)).toEqual('torch graph 8 3 10.00 8.00–40.00 6.00 800.0 4.2e-4'.split(' '));
});
