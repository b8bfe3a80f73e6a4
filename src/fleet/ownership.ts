/**
 * The partitions that a worker holds, each with its epoch: the generation of the group in which the worker
 * took it over. States of a partition:
 *
 * - given: the group gave it to us, and we do not know yet in which generation.
 * - held: the first heartbeat of that membership told the generation. It is the epoch of the partition.
 * - gone: not among those that the group gave last, or given to a new membership of ours.
 *
 * A member of a group takes part in every generation, or the group throws it out and it comes back under
 * another id. So while the id stays the same, nobody else held between two generations what is ours in both:
 * streams go on through a rebalance. Under another id somebody may have, and everything begins anew with a
 * higher epoch.
 */
export class Ownership {
  #memberId: string | undefined;
  #generation = -1;
  #partitions = new Map<number, number | undefined>();

  /** The group has given us these. @returns partitions that are gone */
  joined(memberId: string, partitions: readonly number[]): readonly number[] {
    const isSame = memberId === this.#memberId;
    const before = this.#partitions;
    this.#memberId = memberId;
    if (!isSame) this.#generation = -1;
    this.#partitions = new Map(
      partitions.map((partition) => [partition, isSame ? before.get(partition) : undefined]),
    );
    return [...before.keys()].filter((partition) => !isSame || !this.#partitions.has(partition));
  }

  /** A heartbeat told the generation; one from before changes nothing. @returns what is held from now on */
  confirmed(generation: number): readonly number[] {
    if (generation <= this.#generation) return [];
    this.#generation = generation;
    const given = [...this.#partitions].flatMap(([partition, epoch]) =>
      epoch === undefined ? [partition] : [],
    );
    for (const partition of given) this.#partitions.set(partition, generation);
    return given;
  }

  /** Undefined where we do not hold it. */
  epochOf(partition: number): number | undefined {
    return this.#partitions.get(partition);
  }

  /** The newest that was told; -1: none yet. */
  get generation(): number {
    return this.#generation;
  }

  /** Given ones too. */
  get partitions(): readonly number[] {
    return [...this.#partitions.keys()];
  }
}
