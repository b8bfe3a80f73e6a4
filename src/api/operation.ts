import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { recordSchema } from '../core/record-schemas.ts';
import { RECORD_TYPES, type RecordType } from '../core/records.ts';
import { Problem } from './problem.ts';
import type { Role } from './tokens.ts';

/** A JSON Schema, as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One operation of the API: its route, its part of the OpenAPI document, and what it does. */
export interface Operation {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Fastify's form: `/api/v1/streams/:stream_id`. */
  readonly url: string;
  /** Absent: no token is asked for. */
  readonly role?: Role;
  readonly tag: 'health' | 'streams' | 'history' | 'live' | 'system';
  readonly summary: string;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  /** JSON Schema of the body, for the document: whoever takes the body checks it. */
  readonly body?: JsonSchema;
  /** What is answered by status, as media types with their schemas. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** @param caller whose token the request sent; `anyone` where none is asked for */
  readonly handle: (request: FastifyRequest, reply: FastifyReply, caller: string) => Promise<unknown>;
}

export interface Answer {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

const RECORD_NAMES = {
  'action.event': 'ActionEvent',
  'clip.stats': 'ClipStats',
  'stream.status': 'StreamStatus',
};

/** The kinds of records, each under its name in the OpenAPI document. */
export const RECORD_SCHEMAS = RECORD_TYPES.map((type) => ({
  ...recordSchema(type),
  $id: RECORD_NAMES[type],
}));

export function recordOf(type: RecordType): JsonSchema {
  return { $ref: `${RECORD_NAMES[type]}#` };
}

export function jsonAnswer(description: string, schema: JsonSchema): Answer {
  return { description, content: { 'application/json': { schema } } };
}

export function problemAnswer(description: string): Answer {
  return { description, content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } } };
}

/** JSON Schema of an object of which each named property is there. */
export function objectOf(properties: Readonly<Record<string, JsonSchema>>, optional: readonly string[] = []) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required } as const;
}

export function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

/** The parameters of a request, checked. @throws Problem 400 naming each one that is wrong */
export function parametersOf<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'query'}: ${message}`);
  throw new Problem(400, 'BAD_REQUEST', details.join('; '));
}

/** Any printable text; a NUL is none for Postgres. */
export const word = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[^\0]+$/u);

/** A parameter that may be given several times. */
export const words = z
  .union([word, z.array(word).max(1000)])
  .transform((value) => (typeof value === 'string' ? [value] : value));

/** An instant, RFC 3339 with its offset. */
const instant = z.iso
  .datetime({ offset: true, error: 'expected a time such as 2026-11-22T10:15:00Z' })
  .transform((value, context) => {
    const time = new Date(value);
    if (!Number.isNaN(time.getTime()) && time.getUTCFullYear() > 0) return time;
    context.addIssue({ code: 'custom', message: 'expected a time such as 2026-11-22T10:15:00Z' });
    return z.NEVER;
  });

export const range = {
  from: instant.optional().meta({ description: 'Begin of the interval, included' }),
  to: instant.optional().meta({ description: 'End of the interval, not included' }),
};

export const paging = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .meta({ description: 'Rows of the page, at most' }),
  cursor: word.optional().meta({ description: '`next` of the page before' }),
};
