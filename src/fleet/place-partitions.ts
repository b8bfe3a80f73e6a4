/** A worker of the fleet as the group knows it when partitions are given out. */
export interface Worker {
  /** Of its membership in the group. */
  readonly id: string;
  /** Streams that it can carry. */
  readonly capacity: number;
  /** Partitions whose streams it runs now. */
  readonly owned: readonly number[];
  /** Of the group, when it last heard of it: of two that run a partition the later one has it. */
  readonly generation: number;
}

/**
 * Gives every partition to a worker, in proportion to capacities. A worker keeps what it runs up to its
 * share: only what is too much for it, and what nobody runs, is given out. The same input gives the same
 * answer. Streams beyond all capacities are placed too: late clips are better than a blind camera.
 *
 * @param streams number of streams by partition
 */
export function placePartitions(
  workers: readonly Worker[],
  streams: readonly number[],
): ReadonlyMap<string, readonly number[]> {
  // An empty partition weighs little, so that those that fill later are spread too.
  const weights = streams.map((count) => count + 1 / streams.length);
  const sorted = [...workers].sort((a, b) => (a.id < b.id ? -1 : 1));
  const capacity = sumOf(sorted.map((worker) => worker.capacity));
  const total = sumOf(weights);
  const free = new Set(weights.keys());
  const owners = ownersOf(sorted, streams.length);
  const loads = sorted.map((worker) => {
    const owned = worker.owned.filter((partition) => owners.get(partition) === worker);
    const kept = keepShare(owned, weights, (total * worker.capacity) / capacity);
    for (const partition of kept) free.delete(partition);
    return { ...worker, partitions: kept, load: sumOf(kept.map((one) => weights[one] ?? 0)) };
  });
  for (const partition of heaviestFirst(free, weights)) {
    const weight = weights[partition] ?? 0;
    const after = (worker: (typeof loads)[number]): number => (worker.load + weight) / worker.capacity;
    const [first, ...others] = loads;
    if (!first) break;
    const least = others.reduce((best, worker) => (after(worker) < after(best) ? worker : best), first);
    least.partitions.push(partition);
    least.load += weight;
  }
  return new Map(loads.map(({ id, partitions }) => [id, partitions.sort((a, b) => a - b)]));
}

function ownersOf(workers: readonly Worker[], partitions: number): ReadonlyMap<number, Worker> {
  const earliestFirst = [...workers].sort((a, b) => a.generation - b.generation);
  return new Map(
    earliestFirst.flatMap((worker) =>
      worker.owned.filter((one) => one < partitions).map((one) => [one, worker] as const),
    ),
  );
}

/** Gives away what leaves the worker with its share or more. */
function keepShare(owned: readonly number[], weights: readonly number[], share: number): number[] {
  let load = sumOf(owned.map((partition) => weights[partition] ?? 0));
  return heaviestFirst(owned, weights).filter((partition) => {
    const weight = weights[partition] ?? 0;
    if (load - weight < share - TOLERANCE) return true;
    load -= weight;
    return false;
  });
}

/** Sums of doubles that are equal on paper differ by less. */
const TOLERANCE = 1e-9;

function heaviestFirst(partitions: Iterable<number>, weights: readonly number[]): number[] {
  return [...partitions].sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b);
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
