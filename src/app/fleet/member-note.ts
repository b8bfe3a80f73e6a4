import { z } from 'zod';
import type { Ownership } from '../../fleet/ownership.ts';
import { placePartitions } from '../../fleet/place-partitions.ts';

/** What a worker tells the group of itself when it joins; other versions may tell more. */
const noteSchema = z.object({
  capacity: z.number().positive(),
  generation: z.number(),
  partitions: z.array(z.number()),
});

export function noteOf(capacity: number, { generation, partitions }: Ownership): string {
  return JSON.stringify({ capacity, generation, partitions: [...partitions] } satisfies z.infer<
    typeof noteSchema
  >);
}

/**
 * Gives out the partitions by what the workers told.
 * @param streams number of streams by partition
 */
export function placeByNotes(
  members: readonly { readonly id: string; readonly note: string }[],
  streams: readonly number[],
): ReadonlyMap<string, readonly number[]> {
  const workers = members.map(({ id, note }) => {
    const { capacity, generation, partitions } = noteSchema.parse(JSON.parse(note));
    return { id, capacity, generation, owned: partitions };
  });
  return placePartitions(workers, streams);
}
