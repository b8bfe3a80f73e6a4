/** Settings of a stream as a person writes them: keys of a stream of the configuration file. */
export type StreamDefinition = Readonly<Record<string, unknown>> & { readonly id: string };

/** A message of the topic: the key is the stream id; without a value the stream is removed. */
export interface DefinitionMessage {
  readonly key: string;
  readonly value: string;
  readonly partition: number;
  /** Decimal digits. */
  readonly offset: string;
}

/** A stream of the fleet, and the partition whose owner watches it. */
export interface PlacedDefinition {
  readonly partition: number;
  readonly definition: StreamDefinition;
}

/** The streams of a fleet: the last message of each. Messages that come again change nothing. */
export class DefinitionTable {
  readonly #streams = new Map<string, PlacedDefinition>();
  readonly #seen = new Map<number, bigint>();

  /** @returns whether it was new. @throws Error where the message defines no stream; it counts as seen */
  apply({ key, value, partition, offset }: DefinitionMessage): boolean {
    if (BigInt(offset) <= (this.#seen.get(partition) ?? -1n)) return false;
    this.#seen.set(partition, BigInt(offset));
    if (value === '') this.#streams.delete(key);
    else this.#streams.set(key, { partition, definition: parseDefinition(key, value) });
    return true;
  }

  of(streamId: string): PlacedDefinition | undefined {
    return this.#streams.get(streamId);
  }

  /** By stream id. */
  get all(): readonly PlacedDefinition[] {
    return [...this.#streams.values()].sort((a, b) => (a.definition.id < b.definition.id ? -1 : 1));
  }

  /** Number of streams in each of so many partitions. */
  countsOf(partitions: number): readonly number[] {
    const counts = Array.from({ length: partitions }, () => 0);
    for (const { partition } of this.#streams.values()) counts[partition] = (counts[partition] ?? 0) + 1;
    return counts;
  }
}

function parseDefinition(key: string, value: string): StreamDefinition {
  const parsed: unknown = JSON.parse(value);
  if (typeof parsed !== 'object' || parsed === null || !('id' in parsed) || parsed.id !== key)
    throw new Error(`the value is no object whose id is the key ${key}`);
  return parsed as StreamDefinition;
}
