import type { StoredRecord } from '../event-sink.ts';
import type { PostgresReader } from '../postgres/reader.ts';
import type { Differences } from './differences.ts';
import type { JournalView } from './journal-view.ts';
import type { Survey } from './survey.ts';

interface State {
  readonly state: string;
  readonly reason: string;
  readonly atMs: number;
  readonly instance: string;
}

/** The states that a stream's row in `streams` may show. */
interface Expected {
  /** Of the newest status that Postgres should hold. */
  atMs: number;
  /** That one and all of the journal that are no older. */
  states: State[];
}

/** The row of a stream holds its newest state; a gap is none. */
export class StreamStates {
  readonly #streams = new Map<string, Expected>();

  add({ record }: StoredRecord, isDue: boolean): void {
    if (record.type !== 'stream.status' || record.payload.gap) return;
    const { stream_id: stream, state, reason, at, pipeline } = record.payload;
    const atMs = Date.parse(at);
    const expected = this.#streams.get(stream) ?? { atMs: -Infinity, states: [] };
    this.#streams.set(stream, expected);
    if (atMs < expected.atMs) return;
    expected.states.push({ state, reason, atMs, instance: pipeline.instance });
    if (!isDue || atMs === expected.atMs) return;
    expected.atMs = atMs;
    expected.states = expected.states.filter((candidate) => candidate.atMs >= atMs);
  }

  async compare(parts: {
    readonly survey: Survey;
    readonly view: JournalView;
    readonly reader: PostgresReader;
    readonly differences: Differences;
  }): Promise<void> {
    const due = [...this.#streams].filter(([, { atMs }]) => atMs > -Infinity);
    const rows = await parts.reader.query<StreamRow>(
      `SELECT stream_id, state, state_reason AS reason, state_at AS at, instance
         FROM actionstream.streams WHERE stream_id = ANY($1::text[])`,
      [due.map(([stream]) => stream)],
    );
    const byStream = new Map(rows.map((row) => [row.stream_id, row]));
    for (const [subject, expected] of due) {
      const row = byStream.get(subject);
      const detail = describe(row, expected);
      const problem = row ? 'payload' : 'missing';
      if (detail !== undefined && !isOfOthers(row, expected, { ...parts, streamId: subject }))
        parts.differences.add({ sink: 'postgres', problem, subject, detail });
    }
  }
}

interface StreamRow {
  readonly stream_id: string;
  readonly state: string | null;
  readonly reason: string | null;
  readonly at: Date | null;
  readonly instance: string | null;
}

function describe(row: StreamRow | undefined, expected: Expected): string | undefined {
  if (!row) return 'no row in streams';
  const isKnown = expected.states.some(
    ({ state, reason, atMs, instance }) =>
      state === row.state && reason === row.reason && atMs === row.at?.getTime() && instance === row.instance,
  );
  if (isKnown) return undefined;
  const last = expected.states[0];
  const at = new Date(expected.atMs).toISOString();
  return `streams: the state is ${row.state ?? 'absent'} since ${row.at?.toISOString() ?? 'never'}, and the journal's last is ${last?.state ?? ''} at ${at}`;
}

/** A newer state that another instance, a later journal, or the running one has written since we began. */
function isOfOthers(
  row: StreamRow | undefined,
  { atMs }: Expected,
  {
    survey,
    view,
    streamId,
  }: { readonly survey: Survey; readonly view: JournalView; readonly streamId: string },
): boolean {
  const rowAtMs = row?.at?.getTime() ?? -Infinity;
  if (rowAtMs < atMs) return false;
  const { provenance } = survey;
  if (!provenance.hasSource({ instance: row?.instance ?? '', streamId })) return true;
  return rowAtMs > atMs && (!provenance.isCurrent || rowAtMs >= view.openedAtMs);
}
