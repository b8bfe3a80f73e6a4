import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placePartitions, type Worker } from '../../src/fleet/place-partitions.ts';

const worker = (id: string, more: Partial<Worker> = {}): Worker => ({
  ...{ id, capacity: 100, owned: [], generation: 1 },
  ...more,
});
const ONE_EACH = Array.from({ length: 24 }, () => 1);

function loadsOf(placed: ReadonlyMap<string, readonly number[]>, streams: readonly number[]): number[] {
  return [...placed.values()].map((partitions) =>
    partitions.reduce((sum, partition) => sum + streams[partition]!, 0),
  );
}

describe('partitions of a fleet', () => {
  it('are shared out evenly, and by capacity', () => {
    const four = ['a', 'b', 'c', 'd'].map((id) => worker(id));
    expect(loadsOf(placePartitions(four, ONE_EACH), ONE_EACH)).toEqual([6, 6, 6, 6]);
    const two = [worker('a', { capacity: 10 }), worker('b', { capacity: 30 })];
    expect(loadsOf(placePartitions(two, ONE_EACH), ONE_EACH)).toEqual([6, 18]);
  });

  it('stay where they are when a worker comes or goes, but for those that must move', () => {
    const first = placePartitions([worker('a'), worker('b')], ONE_EACH);
    const three = placePartitions(
      [...[...first].map(([id, owned]) => worker(id, { owned })), worker('c')],
      ONE_EACH,
    );
    expect(three.get('a')!.every((partition) => first.get('a')!.includes(partition))).toBe(true);
    expect(three.get('b')!.every((partition) => first.get('b')!.includes(partition))).toBe(true);
    expect(loadsOf(three, ONE_EACH)).toEqual([8, 8, 8]);

    const left = [...three].filter(([id]) => id !== 'b').map(([id, owned]) => worker(id, { owned }));
    const two = placePartitions(left, ONE_EACH);
    for (const [id, owned] of three)
      if (id !== 'b') expect(two.get(id)).toEqual(expect.arrayContaining([...owned]));
    expect(loadsOf(two, ONE_EACH)).toEqual([12, 12]);
  });

  it('belong to the later of two that say they run them', () => {
    const asleep = worker('a', { owned: [0, 1, 2, 3], generation: 3 });
    const now = worker('b', { owned: [0, 1], generation: 7 });
    expect(placePartitions([asleep, now], [1, 1, 1, 1])).toEqual(
      new Map([
        ['a', [2, 3]],
        ['b', [0, 1]],
      ]),
    );
  });

  it('all have one owner, whatever the workers say, and no worker is far above its share', () => {
    const counts = fc.array(fc.nat(5), { minLength: 1, maxLength: 64 });
    const workers = fc.uniqueArray(
      fc.record({
        id: fc.stringMatching(/^[a-z]{1,4}$/),
        capacity: fc.integer({ min: 1, max: 50 }),
        owned: fc.uniqueArray(fc.nat(80)),
        generation: fc.nat(9),
      }),
      { selector: ({ id }) => id, minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(workers, counts, (members, streams) => {
        const placed = placePartitions(members, streams);
        expect([...placed.values()].flat().sort((a, b) => a - b)).toEqual([...streams.keys()]);
        const total = streams.reduce((sum, count) => sum + count, 0);
        const capacity = members.reduce((sum, member) => sum + member.capacity, 0);
        for (const { id, capacity: own } of members) {
          const load = placed.get(id)!.reduce((sum, partition) => sum + streams[partition]!, 0);
          expect(load).toBeLessThanOrEqual((total * own) / capacity + Math.max(...streams) + 2);
        }
        expect(placePartitions([...members].reverse(), streams)).toEqual(placed);
      }),
    );
  });
});
