import type { ActionEvent } from '../../../src/client/index.ts';
import { answerOf, api, fetchFile } from './session.ts';

/** What the history can be asked for; as the parameters of `GET /api/v1/events`. */
export interface EventQuery {
  readonly stream?: string[];
  readonly label?: string[];
  readonly site?: string[];
  readonly tag?: string[];
  readonly from?: string;
  readonly to?: string;
  readonly min_score?: number;
  readonly min_duration_ms?: number;
  readonly limit?: number;
  readonly cursor?: string;
}

export interface EventPage {
  readonly events: readonly ActionEvent[];
  /** Cursor of the page after this one. */
  readonly next?: string;
}

/** One page, newest first. @throws ApiProblem */
export async function loadEvents(query: EventQuery, signal: AbortSignal): Promise<EventPage> {
  const request = api.GET('/api/v1/events', { params: { query: { ...query, format: 'json' } }, signal });
  // The answer has two other forms, as lines; `format` asks for this one.
  return (await answerOf(request)) as EventPage;
}

const PAGE = 1000;
/** Beyond it, `actionstream events query` writes to a file without a browser in between. */
export const MOST_EXPORTED = 200_000;

interface Export {
  readonly query: EventQuery;
  readonly format: 'csv' | 'ndjson';
  readonly onProgress: (rows: number) => void;
}

/** All pages as one file. @throws ApiProblem */
export async function exportEvents({ query, format, onProgress }: Export): Promise<Blob> {
  const parts: string[] = [];
  let cursor: string | undefined;
  for (let rows = 0; rows < MOST_EXPORTED; rows += PAGE) {
    const asked = parametersOf({ ...query, limit: PAGE, ...(cursor !== undefined && { cursor }) });
    const answer = await fetchFile(`/api/v1/events?${asked.toString()}&format=${format}`);
    const text = await answer.text();
    // Only the first page keeps its line of names.
    parts.push(format === 'csv' && rows > 0 ? text.slice(text.indexOf('\n') + 1) : text);
    cursor = answer.headers.get('next-cursor') ?? undefined;
    onProgress(rows + PAGE);
    if (cursor === undefined) break;
  }
  return new Blob(parts, { type: format === 'csv' ? 'text/csv' : 'application/x-ndjson' });
}

function parametersOf(query: EventQuery): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [string, string | number | string[]][]) {
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one));
  }
  return parameters;
}
