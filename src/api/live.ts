import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { isAborted } from '../core/abort.ts';
import { RECORD_TYPES, streamIdOf, type RecordType } from '../core/records.ts';
import type { StoredRecord } from '../sink/event-sink.ts';
import { UnreadableRecords } from '../sink/journal/corruption.ts';
import { readyRun, type CurrentRun } from './health.ts';
import { parametersOf, problemAnswer, words, type Operation } from './operation.ts';
import { Problem } from './problem.ts';
import type { RunView } from './run-view.ts';

/** A comment is sent after so long without a record, so that proxies keep the connection. */
const KEEP_ALIVE_MS = 15_000;
/** A reader that takes nothing for so long is hung up on. It resumes by `Last-Event-ID`. */
const PATIENCE_MS = 30_000;
const BATCH = 256;
const MOST_READERS = 64;

const LIVE = z.object({
  stream: words.optional().meta({ description: 'Only of these streams' }),
  type: z
    .union([z.enum(RECORD_TYPES), z.array(z.enum(RECORD_TYPES))])
    .transform((value) => (typeof value === 'string' ? [value] : value))
    .optional()
    .meta({ description: 'Only records of these types' }),
});

interface Wanted {
  readonly streams: readonly string[] | undefined;
  readonly types: readonly RecordType[] | undefined;
}

/**
 * Records as server-sent events, from the journal: `event` is the type of record, `data` its payload, `id`
 * its offset in the journal. A reader that names the last id it has gets everything since, as far as the
 * journal still holds it. An event `missed` gives the offsets [from, to) that are no longer there.
 *
 * @param ended aborts when the server closes
 */
export function liveOperation(current: CurrentRun, ended: AbortSignal): Operation {
  let readers = 0;
  return {
    ...{ method: 'GET', url: '/api/v1/live', tag: 'live', role: 'read' },
    summary: 'Records as they are journalled, as server-sent events; resumes by the header Last-Event-ID',
    query: LIVE,
    answers: {
      200: {
        description: 'Until the reader goes',
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      },
      503: problemAnswer('Too many readers'),
    },
    handle: async ({ query, headers, raw }, reply) => {
      const run = readyRun(current);
      const { stream: streams, type: types } = parametersOf(LIVE, query);
      const from = firstOffset(headers['last-event-id'], run);
      if (readers >= MOST_READERS)
        throw new Problem(503, 'BUSY', `${MOST_READERS} readers are served already`);
      readers += 1;
      const gone = new AbortController();
      raw.socket.once('close', () => {
        gone.abort();
      });
      void reply.hijack();
      const response = reply.raw;
      try {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
        response.write('retry: 2000\n\n');
        await new LiveReader(run, response, { streams, types }).follow(
          from,
          AbortSignal.any([gone.signal, ended]),
        );
      } finally {
        readers -= 1;
        response.end();
      }
      return reply;
    },
  };
}

/** @throws Problem 400 */
function firstOffset(header: string | string[] | undefined, { journal }: RunView): number {
  if (header === undefined || header === '') return journal.nextOffset;
  const last = Number(header);
  if (Number.isSafeInteger(last) && last >= 0) return last + 1;
  throw new Problem(400, 'BAD_REQUEST', 'Last-Event-ID: expected the id of an event that was received');
}

class LiveReader {
  readonly #run: RunView;
  readonly #response: ServerResponse;
  readonly #wanted: Wanted;

  constructor(run: RunView, response: ServerResponse, wanted: Wanted) {
    this.#run = run;
    this.#response = response;
    this.#wanted = wanted;
  }

  /** Sends records from that offset on, until the signal. */
  async follow(from: number, signal: AbortSignal): Promise<void> {
    const { journal } = this.#run;
    let next = from;
    while (!signal.aborted) {
      const pause = AbortSignal.any([signal, AbortSignal.timeout(KEEP_ALIVE_MS)]);
      if (!(await journal.waitFor(next, pause))) {
        if (journal.failed.aborted || isAborted(signal)) return;
        if (!(await this.#write(': still here\n\n', signal))) return;
        continue;
      }
      const batch = await this.#read(next);
      if (!(await this.#send(batch.records, next, signal))) return;
      next = batch.next;
    }
  }

  /** At least one record, or the offset behind a damaged part. */
  async #read(from: number): Promise<{ readonly records: readonly StoredRecord[]; readonly next: number }> {
    try {
      const records = await this.#run.journal.read(from, BATCH);
      return { records, next: (records.at(-1)?.offset ?? from - 1) + 1 };
    } catch (error) {
      if (!(error instanceof UnreadableRecords)) throw error;
      return { records: [], next: error.damage.endOffset };
    }
  }

  async #send(records: readonly StoredRecord[], from: number, signal: AbortSignal): Promise<boolean> {
    const first = records[0]?.offset ?? from;
    const missed = first > from ? `event: missed\ndata: ${JSON.stringify({ from, to: first })}\n\n` : '';
    const text =
      missed +
      records
        .filter((stored) => this.#isWanted(stored))
        .map(messageOf)
        .join('');
    return text === '' || (await this.#write(text, signal));
  }

  #isWanted({ record }: StoredRecord): boolean {
    const { streams, types } = this.#wanted;
    return (types?.includes(record.type) ?? true) && (streams?.includes(streamIdOf(record)) ?? true);
  }

  /** False where the reader takes nothing, or is gone. */
  async #write(text: string, signal: AbortSignal): Promise<boolean> {
    if (this.#response.write(text)) return true;
    try {
      await once(this.#response, 'drain', {
        signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
      });
      return true;
    } catch {
      return false;
    }
  }
}

function messageOf({ offset, record }: StoredRecord): string {
  return `id: ${offset}\nevent: ${record.type}\ndata: ${JSON.stringify(record.payload)}\n\n`;
}
