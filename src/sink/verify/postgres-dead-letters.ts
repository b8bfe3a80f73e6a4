import type { StoredRecord } from '../event-sink.ts';
import type { PostgresReader } from '../postgres/reader.ts';
import { isAcceptable, letterIdOf } from './postgres-rows.ts';

/** The dead letters of some records. */
export class DeadLetters {
  readonly #reader: PostgresReader;
  /** Payload by id. */
  readonly #letters: ReadonlyMap<string, string>;

  private constructor(reader: PostgresReader, letters: ReadonlyMap<string, string>) {
    this.#reader = reader;
    this.#letters = letters;
  }

  static async of(reader: PostgresReader, records: readonly StoredRecord[]): Promise<DeadLetters> {
    const rows = await reader.query<{ record_id: string; payload: string }>(
      'SELECT record_id, payload FROM actionstream.dead_letters WHERE record_id = ANY($1::text[])',
      [records.map(({ record }) => letterIdOf(record))],
    );
    return new DeadLetters(reader, new Map(rows.map((row) => [row.record_id, row.payload])));
  }

  get size(): number {
    return this.#letters.size;
  }

  /** Why the letter does not excuse that the record has no row; undefined where it does. */
  async objectionTo(stored: StoredRecord): Promise<string | undefined> {
    const payload = this.#letters.get(letterIdOf(stored.record));
    if (payload !== JSON.stringify(stored.record.payload)) return 'its dead letter has another payload';
    return (await isAcceptable(this.#reader, stored))
      ? 'it lies among the dead letters, and its table takes it'
      : undefined;
  }

  has(stored: StoredRecord): boolean {
    return this.#letters.has(letterIdOf(stored.record));
  }
}
