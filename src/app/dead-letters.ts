import { ActionstreamError } from '../core/errors.ts';
import {
  findInJournal,
  readKafkaLetters,
  readPostgresLetters,
  recordOf,
  replayToPostgres,
  type DeadLetter,
} from '../sink/dead-letters.ts';
import type { StoredRecord } from '../sink/event-sink.ts';
import { createKafkaSink } from '../sink/kafka/kafka-sink.ts';
import { createDatabase } from '../sink/postgres/connection.ts';
import { createPostgresSink } from '../sink/postgres/postgres-sink.ts';
import type { AppContext } from './context.ts';
import { journalDirOf, storesOf, type Places } from './stores.ts';

/**
 * `dlq ls` and `dlq show`: the letters of each sink that is named, by sink.
 * @param ids only these; undefined: all
 * @throws USAGE where nothing lies there under an id
 */
export async function deadLetters(
  places: Places,
  { env, signal }: AppContext,
  ids?: readonly string[],
): Promise<readonly DeadLetter[]> {
  const { kafka, postgres } = storesOf(places, env);
  if (!kafka && !postgres)
    throw new ActionstreamError('USAGE', 'no sink: name a configuration file, --kafka or --postgres');
  const letters: DeadLetter[] = [];
  if (kafka) for await (const letter of readKafkaLetters(kafka, signal)) letters.push(letter);
  if (postgres) {
    const database = createDatabase(postgres, { max: 1 });
    try {
      letters.push(...(await readPostgresLetters(database)));
    } finally {
      await database.end();
    }
  }
  const unknown = ids?.find((id) => !letters.some((letter) => letter.record_id === id));
  if (unknown !== undefined)
    throw new ActionstreamError('USAGE', `no dead letter has the id ${unknown}; \`dlq ls\` lists them`);
  return letters.filter(({ record_id: id }) => ids?.includes(id) ?? true);
}

export interface Replay {
  readonly sink: DeadLetter['sink'];
  /** Records that were sent again. */
  readonly sent: number;
  /** Of those, how many the sink refused again, where it can be known: Postgres. */
  readonly refused?: number;
  /** Ids of records that neither the journal nor the letter holds whole. */
  readonly lost: readonly string[];
}

/**
 * `dlq replay`: sends the records of dead letters again, after whoever runs the sink has put right what it
 * refused. @param ids undefined: all. @throws USAGE where nothing lies there under an id
 */
export async function replayDeadLetters(
  places: Places,
  ids: readonly string[] | undefined,
  context: AppContext,
): Promise<readonly Replay[]> {
  const chosen = await deadLetters(places, context, ids);
  const wanted = new Set(chosen.map(({ record_id: id }) => id));
  const inJournal = await findInJournal(journalDirOf(places, context.env), wanted, context.signal);
  const replays: Replay[] = [];
  for (const sink of ['kafka', 'postgres'] as const) {
    const own = new Map(
      chosen.filter((letter) => letter.sink === sink).map((letter) => [letter.record_id, letter]),
    );
    if (own.size === 0) continue;
    const records = [...own].flatMap(([id, letter], n) => {
      const stored = inJournal.get(id);
      if (stored) return [stored];
      return sink === 'postgres' ? [recordOf(letter, n)] : [];
    });
    const lost = sink === 'kafka' ? [...own.keys()].filter((id) => !inJournal.has(id)) : [];
    const refused = await send(sink, records, { places, context });
    replays.push({ sink, sent: records.length, lost, ...(refused !== undefined && { refused }) });
  }
  return replays;
}

/** @returns how many were refused again, where that is known */
async function send(
  name: DeadLetter['sink'],
  records: readonly StoredRecord[],
  { places, context: { env, signal } }: { readonly places: Places; readonly context: AppContext },
): Promise<number | undefined> {
  const { kafka, postgres } = storesOf(places, env);
  if (name === 'kafka' && kafka) {
    await using sink = createKafkaSink(kafka);
    await sink.open(signal);
    await sink.write(records, signal);
  }
  if (name !== 'postgres' || !postgres) return undefined;
  await using sink = createPostgresSink(postgres);
  await sink.open(signal);
  const database = createDatabase(postgres, { max: 1 });
  try {
    return await replayToPostgres({ sink, database }, records, signal);
  } finally {
    await database.end();
  }
}
