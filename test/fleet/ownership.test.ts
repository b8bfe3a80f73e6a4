import { expect, it } from 'vitest';
import { Ownership } from '../../src/fleet/ownership.ts';

it('a partition has the generation in which it came, and keeps it through later ones', () => {
  const ownership = new Ownership();
  expect(ownership.joined('a', [1, 2])).toEqual([]);
  expect(ownership.epochOf(1)).toBeUndefined();
  expect(ownership.confirmed(5)).toEqual([1, 2]);
  expect(ownership.confirmed(5)).toEqual([]);

  expect(ownership.joined('a', [2, 3])).toEqual([1]);
  expect(ownership.confirmed(6)).toEqual([3]);
  expect([1, 2, 3].map((partition) => ownership.epochOf(partition))).toEqual([undefined, 5, 6]);
});

it('under another id everything begins anew, also what comes back', () => {
  const ownership = new Ownership();
  ownership.joined('a', [1, 2]);
  ownership.confirmed(5);
  expect(ownership.joined('b', [1])).toEqual([1, 2]);
  expect(ownership.epochOf(1)).toBeUndefined();
  expect(ownership.confirmed(9)).toEqual([1]);
  expect(ownership.epochOf(1)).toBe(9);
});

it('a heartbeat from before the rebalance says nothing of what the rebalance gave', () => {
  const ownership = new Ownership();
  ownership.joined('a', [1]);
  ownership.confirmed(5);
  ownership.joined('a', [1, 2]);
  expect(ownership.confirmed(5)).toEqual([]);
  expect(ownership.confirmed(6)).toEqual([2]);
});

it('what was given and taken away again is not held', () => {
  const ownership = new Ownership();
  ownership.joined('a', [1]);
  expect(ownership.joined('a', [])).toEqual([1]);
  expect(ownership.confirmed(3)).toEqual([]);
  expect(ownership.partitions).toEqual([]);
});
