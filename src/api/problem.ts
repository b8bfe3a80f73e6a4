import { toActionstreamError, type ErrorCode } from '../core/errors.ts';
import { redact } from '../core/redact.ts';

/** What is wrong with one field of a request. */
export interface FieldError {
  /** `window.stride`; empty for the whole. */
  readonly field: string;
  readonly detail: string;
}

/** What went wrong with a request, as `application/problem+json` (RFC 9457) tells it. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly FieldError[] | undefined;

  constructor(status: number, code: string, detail: string, errors?: readonly FieldError[]) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.errors = errors;
  }
}

export interface ProblemBody {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  /** Of docs/errors.md, or of docs/api.md: BAD_REQUEST, UNAUTHORIZED, NOT_READY and so on. */
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
}

export const PROBLEM_SCHEMA = {
  $id: 'Problem',
  type: 'object',
  description: 'What went wrong, RFC 9457. `code` is for programs, `detail` for people.',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      description: 'What is wrong with each field of the body',
      items: {
        type: 'object',
        properties: { field: { type: 'string' }, detail: { type: 'string' } },
        required: ['field', 'detail'],
      },
    },
  },
  required: ['type', 'title', 'status', 'code', 'detail'],
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is not understood',
  401: 'A token is needed',
  403: 'This token may not do that',
  404: 'There is no such thing',
  405: 'The method is not allowed',
  406: 'There is no such format',
  409: 'There is one already',
  413: 'The request is too large',
  416: 'There are no such bytes',
  415: 'The type of the body is not understood',
  422: 'The source cannot be used',
  500: 'The program failed',
  503: 'Not now',
};

/** Any failure as a problem. Foreign errors become 500, without their stack. */
export function problemOf(error: unknown): ProblemBody {
  if (error instanceof Problem) {
    const { status, code, message, errors } = error;
    const redacted = errors?.map(({ field, detail }) => ({ field, detail: redact(detail) }));
    return { ...body(status, code, message), ...(redacted && { errors: redacted }) };
  }
  const status = statusOfFramework(error);
  if (status !== undefined && error instanceof Error) return body(status, 'BAD_REQUEST', error.message);
  const { code, message } = toActionstreamError(error);
  return body(STATUSES[code] ?? 500, code, message);
}

function body(status: number, code: string, detail: string): ProblemBody {
  return {
    type: 'about:blank',
    title: TITLES[status] ?? 'The request failed',
    status,
    code,
    detail: redact(detail),
  };
}

const STATUSES: Partial<Readonly<Record<ErrorCode, number>>> = {
  ...{ USAGE: 400, CONFIG_INVALID: 400, SAMPLER_INVALID: 400, MODEL_INVALID: 400 },
  ...{ SOURCE_UNREACHABLE: 422, SOURCE_UNTRUSTED: 422, SOURCE_UNSUPPORTED: 422, SOURCE_UNAUTHORIZED: 422 },
  ...{ SOURCE_NOT_FOUND: 422, SOURCE_NO_VIDEO: 422, SOURCE_STALLED: 422, INPUT_INVALID: 422 },
  FFMPEG_MISSING: 503,
  POSTGRES_UNREACHABLE: 503,
  POSTGRES_REFUSED: 503,
  SCHEMA_OUTDATED: 503,
  ABORTED: 503,
};

/** Errors that the HTTP framework raises itself: a bad URL, a body that is too large. */
function statusOfFramework(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
