import type { ActionEvent, PublishedRecord } from '../core/records.ts';
import type { MovedCheckpoint } from '../sink/journal/offline.ts';
import type { TableChecksum } from '../sink/postgres/checksum.ts';
import type { EventFilter, EventPage } from '../sink/query.ts';
import type { RebuildResult } from '../sink/rebuild.ts';
import type { VerifyResult } from '../sink/verify.ts';
import type { TimeRange } from '../sink/verify/journal-view.ts';

/** Where `events` commands look: a configuration file, or flags in its place. */
export interface EventPlaces {
  readonly configPath?: string;
  readonly postgres?: string;
  readonly kafka?: string;
  readonly journal?: string;
}

/** Opened when a command runs: clients of Kafka and Postgres take a while to load. */
export interface EventServices {
  readonly query: (
    places: EventPlaces,
    filter: EventFilter,
    page: { limit: number; cursor?: string },
  ) => Promise<EventPage>;
  readonly exportEvents: (places: EventPlaces, filter: EventFilter) => AsyncIterable<ActionEvent>;
  readonly toCsv: (events: AsyncIterable<ActionEvent>) => AsyncIterable<string>;
  readonly tail: (
    places: EventPlaces,
    from: 'beginning' | 'end',
    signal: AbortSignal,
  ) => AsyncIterable<PublishedRecord>;
  readonly verify: (places: EventPlaces, range: TimeRange, signal: AbortSignal) => Promise<VerifyResult>;
  readonly rebuild: (
    places: EventPlaces,
    options: { readonly from: 'journal' | 'kafka'; readonly force: boolean },
    signal: AbortSignal,
  ) => Promise<RebuildResult>;
  readonly checksum: (places: EventPlaces) => Promise<readonly TableChecksum[]>;
  /** Without `from`: everything that the journal holds. */
  readonly redeliver: (
    places: EventPlaces,
    what: { readonly sink: string; readonly from: number | undefined },
  ) => Promise<MovedCheckpoint>;
}

export function placesOf(
  configPath: string | undefined,
  { postgres, kafka, journal }: Omit<EventPlaces, 'configPath'>,
): EventPlaces {
  return {
    ...(configPath !== undefined && { configPath }),
    ...(postgres !== undefined && { postgres }),
    ...(kafka !== undefined && { kafka }),
    ...(journal !== undefined && { journal }),
  };
}
