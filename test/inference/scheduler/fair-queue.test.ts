import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../../src/inference/scheduler/fair-queue.ts';

const all = (): boolean => true;

/** Serves always waiting streams, each with its cost of a task, until `total` is spent; what each got. */
function serve(costs: readonly number[], total: number): readonly number[] {
  const queue = new FairQueue<number>();
  const spent = costs.map(() => 0);
  costs.forEach((cost, id) => {
    queue.push(String(id), cost);
  });
  for (let sum = 0; sum < total;) {
    const turn = queue.take(all);
    if (!turn) throw new Error('a stream waits always');
    const id = Number(turn.streamId);
    queue.charge(turn.streamId, turn.task);
    spent[id] = (spent[id] ?? 0) + turn.task;
    sum += turn.task;
    queue.push(turn.streamId, turn.task);
  }
  return spent;
}

describe('fair queue', () => {
  it('gives every waiting stream the same time, to within one task, whatever its tasks cost', () => {
    const costs = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(costs, (each) => {
        const spent = serve(each, 2000);

        expect(Math.max(...spent) - Math.min(...spent)).toBeLessThanOrEqual(2 * Math.max(...each));
      }),
    );
  });

  it('serves equal streams in the order in which they came', () => {
    const queue = new FairQueue<string>();
    for (const id of ['b', 'a', 'c']) queue.push(id, id);

    expect([queue.take(all), queue.take(all), queue.take(all)].map((turn) => turn?.task)).toEqual([
      'b',
      'a',
      'c',
    ]);
  });

  it('lets a stream that was away neither save up a claim nor wait for it', () => {
    const queue = new FairQueue<string>();
    queue.push('quiet', 'first');
    queue.take(all);
    queue.charge('quiet', 1);
    for (let i = 0; i < 100; i++) {
      queue.push('busy', 'busy');
      queue.take(all);
      queue.charge('busy', 10);
    }

    const order: string[] = [];
    queue.push('busy', 'busy');
    queue.push('quiet', 'quiet');
    for (let i = 0; i < 6; i++) {
      const id = queue.take(all)?.streamId ?? '';
      order.push(id);
      queue.charge(id, 10);
      queue.push(id, id);
    }

    expect(order.slice(0, 2)).toContain('quiet');
    expect(order.filter((id) => id === 'quiet')).toHaveLength(3);
  });

  it('hands out only what is accepted, and forgets what is given up', () => {
    const queue = new FairQueue<number>();
    queue.push('a', 1);
    queue.push('b', 2);
    queue.push('c', 3);

    expect(queue.take((id) => id === 'b')).toEqual({ streamId: 'b', task: 2 });
    expect(queue.remove('a', 1)).toBe(true);
    expect(queue.remove('a', 1)).toBe(false);
    queue.forget('c');
    expect(queue.take(all)).toBeUndefined();
    expect(queue.length).toBe(0);
  });
});
