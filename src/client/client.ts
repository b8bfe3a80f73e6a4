import createFetchClient, { type Client } from 'openapi-fetch';
import type { paths } from './api-types.ts';
import type { Problem } from './records.ts';

export interface ClientOptions {
  /** `http://host:port` of a program that runs with `http.port`. */
  readonly url: string;
  /** Asked before each request; undefined or empty: none is sent. */
  readonly token?: () => string | undefined;
}

/** `GET`, `POST` and so on by path, typed by the OpenAPI document. */
export type ApiClient = Client<paths>;

/**
 * A client of the HTTP API. Works in Node and in browsers. An answer that is a problem comes back as `error`.
 *
 *     const api = createClient({ url: 'http://127.0.0.1:8080' });
 *     const { data, error } = await api.GET('/api/v1/events', { params: { query: { label: 'fall' } } });
 */
export function createClient({ url, token }: ClientOptions): ApiClient {
  const client = createFetchClient<paths>({ baseUrl: url });
  client.use({
    onRequest({ request }) {
      const held = token?.();
      if (held !== undefined && held !== '') request.headers.set('authorization', `Bearer ${held}`);
    },
  });
  return client;
}

/** A request that the program refused, or that did not reach it (status 0). */
export class ApiProblem extends Error {
  readonly status: number;
  /** As in docs/api.md: NOT_READY, UNAUTHORIZED and so on. */
  readonly code: string;

  constructor({ status, code, detail }: Pick<Problem, 'status' | 'code' | 'detail'>) {
    super(detail);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = code;
  }
}

/** The problem in the body of an answer, whatever that holds. */
export function problemOf(body: unknown, status: number): ApiProblem {
  const { code, detail } = (body ?? {}) as Partial<Record<keyof Problem, unknown>>;
  return new ApiProblem({
    status,
    code: typeof code === 'string' ? code : 'UNKNOWN',
    detail: typeof detail === 'string' ? detail : `the program answered with status ${status}`,
  });
}
