import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { ActionEvent } from '../core/records.ts';
import { feedbackOf } from '../sink/postgres/feedback.ts';
import { queryClips, queryGaps, queryHours } from '../sink/history.ts';
import type { PostgresReader } from '../sink/postgres/reader.ts';
import { findEvent, queryEvents, toCsv, type EventFilter } from '../sink/query.ts';
import { FEEDBACK } from './feedback.ts';
import { readyRun, type CurrentRun } from './health.ts';
import { EPISODE, MEDIA, mediaOf } from './media.ts';
import {
  jsonAnswer,
  listOf,
  objectOf,
  paging,
  parametersOf,
  problemAnswer,
  range,
  recordOf,
  word,
  words,
  type JsonSchema,
  type Operation,
} from './operation.ts';
import { Problem } from './problem.ts';

const EVENT = recordOf('action.event');
const ONE_EVENT = { allOf: [EVENT, objectOf({ media: MEDIA, feedback: listOf(FEEDBACK) }, ['feedback'])] };
const TEXT = { type: 'string' };
const TIME = { type: 'string', format: 'date-time' };
const NUMBER = { type: 'number' };

const streams = words.optional().meta({ description: 'Only of these streams' });

const EVENTS = z.object({
  stream: streams,
  label: words.optional().meta({ description: 'Only of these labels' }),
  site: words.optional().meta({ description: 'Only of streams of these sites' }),
  tag: words.optional().meta({ description: 'Only of streams with one of these tags' }),
  run_id: z.uuid().optional().meta({ description: 'Only of this run of a file' }),
  ...range,
  min_duration_ms: z.coerce.number().min(0).max(1e12).optional(),
  min_score: z.coerce.number().min(0).max(1).optional().meta({ description: 'Of the highest score' }),
  ...paging,
  format: z.enum(['json', 'ndjson', 'csv']).default('json'),
});
const CLIPS = z.object({ stream: word.meta({ description: 'Of this stream' }), ...range, ...paging });
const GAPS = z.object({ stream: streams, ...range, ...paging });
const HOURS = z.object({ stream: streams, ...range, limit: paging.limit });

const GAP = objectOf({ stream_id: TEXT, from: TIME, to: TIME, reason: TEXT });
const HOUR = objectOf({
  ...{ stream_id: TEXT, hour: TIME, clips: NUMBER, kept_steps: NUMBER, input_steps: NUMBER },
  ...{ multiply_adds: NUMBER, dense_multiply_adds: NUMBER, saved_ratio: NUMBER },
});

/** What Postgres holds: episodes, statistics of clips, gaps, compute by hour. */
export function historyOperations(current: CurrentRun): readonly Operation[] {
  const reader = (): Promise<PostgresReader> => historyOf(current);
  /** What is known of an episode beside its record. */
  const besideEvent = async ({ episode_id: id, media }: ActionEvent): Promise<object> => {
    const kept = await mediaOf(id, readyRun(current).media);
    const feedback = await feedbackOf(await reader(), id);
    return { ...(kept && { media: { ...media, ...kept } }), ...(feedback.length > 0 && { feedback }) };
  };
  return [
    {
      ...{ method: 'GET', url: '/api/v1/events', tag: 'history', role: 'read' },
      summary: 'Episodes that began in an interval, newest first',
      query: EVENTS,
      answers: {
        200: {
          description:
            'A page; `next` is missing on the last one. Of NDJSON and CSV the header `Next-Cursor` holds it',
          content: {
            'application/json': { schema: pageSchema('events', EVENT) },
            'application/x-ndjson': { schema: TEXT },
            'text/csv': { schema: TEXT },
          },
        },
      },
      handle: async ({ query }, reply) => {
        const { limit, cursor, format, ...wanted } = parametersOf(EVENTS, query);
        const { events, cursor: next } = await queryEvents(await reader(), filterOf(wanted), {
          limit,
          ...(cursor !== undefined && { cursor }),
        });
        if (format === 'json') return { events, ...(next !== undefined && { next }) };
        return sendLines(reply, { events, next, format });
      },
    },
    {
      ...{ method: 'GET', url: '/api/v1/events/:episode_id', tag: 'history', role: 'read' },
      summary:
        'One episode, as its last event, with its media where they are kept, and the newest feedback first',
      params: EPISODE,
      answers: {
        200: jsonAnswer('The event', ONE_EVENT),
        404: problemAnswer('No such episode'),
      },
      handle: async ({ params }) => {
        const { episode_id: id } = parametersOf(EPISODE, params);
        const event = await findEvent(await reader(), id);
        if (event) return { ...event, ...(await besideEvent(event)) };
        throw new Problem(404, 'NOT_FOUND', `no episode has the id ${id}`);
      },
    },
    {
      ...{ method: 'GET', url: '/api/v1/clips', tag: 'history', role: 'read' },
      summary: 'Statistics of the clips of one stream, newest first',
      query: CLIPS,
      answers: { 200: jsonAnswer('A page', pageSchema('clips', recordOf('clip.stats'))) },
      handle: async ({ query }) => {
        const { stream, from, to, limit, cursor } = parametersOf(CLIPS, query);
        const wanted = { streamId: stream, ...timeRange(from, to) };
        const { items, cursor: next } = await queryClips(await reader(), wanted, pageRequest(limit, cursor));
        return { clips: items, ...(next !== undefined && { next }) };
      },
    },
    {
      ...{ method: 'GET', url: '/api/v1/gaps', tag: 'history', role: 'read' },
      summary: 'Intervals that no scored clip covers: when nobody watched',
      query: GAPS,
      answers: { 200: jsonAnswer('A page', pageSchema('gaps', GAP)) },
      handle: async ({ query }) => {
        const { stream, from, to, limit, cursor } = parametersOf(GAPS, query);
        const wanted = { ...(stream && { streams: stream }), ...timeRange(from, to) };
        const { items, cursor: next } = await queryGaps(await reader(), wanted, pageRequest(limit, cursor));
        return { gaps: items, ...(next !== undefined && { next }) };
      },
    },
    {
      ...{ method: 'GET', url: '/api/v1/compute', tag: 'history', role: 'read' },
      summary: 'Multiply-adds spent and saved by stream and hour, newest first',
      query: HOURS,
      answers: { 200: jsonAnswer('The hours', objectOf({ hours: listOf(HOUR) })) },
      handle: async ({ query }) => {
        const { stream, from, to, limit } = parametersOf(HOURS, query);
        const wanted = { ...(stream && { streams: stream }), ...timeRange(from, to) };
        return { hours: await queryHours(await reader(), wanted, limit) };
      },
    },
  ];
}

function historyOf(current: CurrentRun): Promise<PostgresReader> {
  const { history } = readyRun(current);
  if (history) return history();
  throw new Problem(503, 'NOT_READY', 'history needs a database; set sinks.postgres');
}

function filterOf(wanted: Omit<z.output<typeof EVENTS>, 'limit' | 'cursor' | 'format'>): EventFilter {
  const { stream, label, site, tag, run_id: runId, from, to } = wanted;
  const { min_duration_ms: minDurationMs, min_score: minScore } = wanted;
  return {
    ...(stream && { streams: stream }),
    ...(label && { labels: label }),
    ...(site && { sites: site }),
    ...(tag && { tags: tag }),
    ...(runId !== undefined && { runId }),
    ...timeRange(from, to),
    ...(minDurationMs !== undefined && { minDurationMs }),
    ...(minScore !== undefined && { minScore }),
  };
}

function timeRange(
  from: Date | undefined,
  to: Date | undefined,
): { readonly since?: Date; readonly until?: Date } {
  return { ...(from && { since: from }), ...(to && { until: to }) };
}

function pageRequest(limit: number, cursor: string | undefined) {
  return { limit, ...(cursor !== undefined && { cursor }) };
}

function pageSchema(name: string, item: JsonSchema): JsonSchema {
  return objectOf({ [name]: listOf(item), next: { type: 'string' } }, ['next']);
}

function sendLines(
  reply: FastifyReply,
  page: {
    readonly events: readonly ActionEvent[];
    readonly next: string | undefined;
    readonly format: 'ndjson' | 'csv';
  },
): FastifyReply {
  const { events, next, format } = page;
  if (next !== undefined) void reply.header('next-cursor', next);
  if (format === 'ndjson') {
    const lines = events.map((event) => `${JSON.stringify(event)}\n`);
    return reply.type('application/x-ndjson').send(lines.join(''));
  }
  return reply.type('text/csv; charset=utf-8').send(Readable.from(csvLines(events)));
}

async function* csvLines(events: readonly ActionEvent[]): AsyncGenerator<string, void, undefined> {
  for await (const line of toCsv(Readable.from(events))) yield `${line}\r\n`;
}
