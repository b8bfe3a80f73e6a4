import { ActionstreamError } from '../core/errors.ts';
import type { ActionEvent, PublishedRecord } from '../core/records.ts';
import { resetCheckpoint, type MovedCheckpoint } from '../sink/journal/offline.ts';
import { openJournalReader } from '../sink/journal/reader.ts';
import { checksumTables, type TableChecksum } from '../sink/postgres/checksum.ts';
import { openPostgresReader } from '../sink/postgres/reader.ts';
import { exportEvents, queryEvents, toCsv, type EventFilter, type EventPage } from '../sink/query.ts';
import { rebuildPostgres, type RebuildResult } from '../sink/rebuild.ts';
import { tailJournal, tailKafka } from '../sink/tail.ts';
import type { AppContext } from './context.ts';
import { journalDirOf, kafkaOf, postgresOf, storesOf, type Places } from './stores.ts';

interface Page {
  readonly limit: number;
  readonly cursor?: string;
}

/** `events query` */
export async function query(
  places: Places,
  { filter, page }: { readonly filter: EventFilter; readonly page: Page },
  { env }: AppContext,
): Promise<EventPage> {
  await using reader = await openPostgresReader(postgresOf(places, env));
  return await queryEvents(reader, filter, page);
}

/** `events export`: one line an episode. */
export async function* exportLines(
  places: Places,
  { filter, format }: { readonly filter: EventFilter; readonly format: 'ndjson' | 'csv' },
  { env }: AppContext,
): AsyncGenerator<string, void, undefined> {
  await using reader = await openPostgresReader(postgresOf(places, env));
  const events = exportEvents(reader, filter);
  yield* format === 'csv' ? toCsv(events) : toNdjson(events);
}

async function* toNdjson(events: AsyncIterable<ActionEvent>): AsyncGenerator<string, void, undefined> {
  for await (const event of events) yield JSON.stringify(event);
}

/** `events tail`: records as they are delivered (Kafka) or journalled. */
export function tail(
  places: Places,
  from: 'beginning' | 'end',
  { env, signal }: AppContext,
): AsyncIterable<PublishedRecord> {
  const { kafka, journalDir } = storesOf(places, env);
  if (places.journal === undefined && kafka) return tailKafka(kafka, { from, signal });
  if (journalDir !== undefined) return tailJournal(journalDir, { from, signal });
  throw new ActionstreamError('USAGE', 'name a configuration file, --kafka or --journal');
}

/** `events rebuild` */
export function rebuild(
  places: Places,
  { from, force }: { readonly from: 'journal' | 'kafka'; readonly force: boolean },
  { env, signal }: AppContext,
): Promise<RebuildResult> {
  const source =
    from === 'journal'
      ? ({ kind: 'journal', dir: journalDirOf(places, env) } as const)
      : ({ kind: 'kafka', kafka: kafkaOf(places, env) } as const);
  return rebuildPostgres({ source, postgres: postgresOf(places, env), force, signal });
}

/** `events checksum` */
export function checksum(places: Places, { env }: AppContext): Promise<readonly TableChecksum[]> {
  return checksumTables(postgresOf(places, env));
}

/** `events redeliver`. Without `from`: everything that the journal holds. */
export async function redeliver(
  places: Places,
  { sink, from }: { readonly sink: string; readonly from: number | undefined },
  { env }: AppContext,
): Promise<MovedCheckpoint> {
  const dir = journalDirOf(places, env);
  const first = from ?? (await (await openJournalReader(dir)).bounds()).firstOffset;
  return resetCheckpoint(dir, sink, first);
}
