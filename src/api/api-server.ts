import { fastifySwagger } from '@fastify/swagger';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { healthOperations, type CurrentRun } from './health.ts';
import { historyOperations } from './history.ts';
import { liveOperation } from './live.ts';
import { feedbackOperation } from './feedback.ts';
import { mediaOperations } from './media.ts';
import { problemAnswer, RECORD_SCHEMAS, type Operation } from './operation.ts';
import { asksForPage, sendPage, servePage } from './page.ts';
import { Problem, problemOf, PROBLEM_SCHEMA } from './problem.ts';
import { changeOperations } from './stream-changes.ts';
import { streamOperations } from './streams.ts';
import { systemOperations } from './system.ts';
import { holderOf, type ApiToken, type Role } from './tokens.ts';

export interface ApiOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Empty: whoever reaches it is answered. */
  readonly tokens: readonly ApiToken[];
  /** PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly version: string;
  readonly logger: Logger;
}

export interface ApiServer extends AsyncDisposable {
  /** `http://host:port` */
  readonly url: string;
}

/** Bodies and headers are small; a request that takes longer than this to arrive is cut off. */
const LIMITS = { bodyLimit: 64 * 1024, requestTimeout: 30_000 };

/**
 * Serves the API. It answers from the start: until `current` gives a run, health says that it starts,
 * and the rest is 503.
 * @throws ActionstreamError CONFIG_INVALID where the address cannot be used
 */
export async function startApiServer(options: ApiOptions, current: CurrentRun): Promise<ApiServer> {
  const { host, port, tls } = options;
  const ended = new AbortController();
  const app = await createApi(options, current, ended.signal);
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw new ActionstreamError(
      'CONFIG_INVALID',
      `the HTTP API cannot listen at ${host}:${port}: ${messageOf(error)}; choose another http.host or http.port`,
      { cause: error },
    );
  }
  const { port: bound } = app.server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async [Symbol.asyncDispose]() {
      ended.abort();
      await app.close();
    },
  };
}

/** The application without its socket. */
async function createApi(
  { tokens, tls, version, logger }: ApiOptions,
  current: CurrentRun,
  ended: AbortSignal,
): Promise<FastifyInstance> {
  const server = {
    ...{ ...LIMITS, forceCloseConnections: true, routerOptions: { maxParamLength: 600 } },
    // What is wrong before any route is found: a URL that cannot be decoded.
    frameworkErrors: (error: Error, _: unknown, reply: FastifyReply) => sendProblem(reply, error),
  };
  // The type of a server of HTTPS differs, and nothing here depends on it.
  const app = fastify(tls ? ({ ...server, https: tls } as typeof server) : server);
  // Handlers check parameters themselves, with schemas that transform; answers are plain JSON.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.addSchema(PROBLEM_SCHEMA);
  for (const schema of RECORD_SCHEMAS) app.addSchema(schema);
  // What a form of another site's page could send without being asked.
  app.removeContentTypeParser('text/plain');
  if (tokens.length === 0) {
    app.addHook('onRequest', demandLoopbackName);
    app.addHook('onRequest', demandOwnOrigin);
  }
  app.setErrorHandler((error, request, reply) => {
    const { status, detail } = problemOf(error);
    if (status >= 500 && status !== 503)
      logger.error({ route: request.routeOptions.url, cause: detail }, 'a request failed');
    return sendProblem(reply, error);
  });
  app.setNotFoundHandler((request, reply) =>
    asksForPage(request) ? sendPage(reply) : sendProblem(reply, nothingAnswers(request.method)),
  );
  await app.register(fastifySwagger, {
    openapi: documentOf(version, tokens.length > 0),
    refResolver: { buildLocalReference: ({ $id }) => ($id as string | undefined) ?? 'unnamed' },
  });
  const operations = operationsOf(current, version, ended);
  for (const operation of operations) route(app, operation, tokens);
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, () => Promise.resolve(app.swagger()));
  await servePage(app);
  await app.ready();
  return app;
}

/** Everything that the API answers. @param ended aborts when the server closes */
export function operationsOf(current: CurrentRun, version: string, ended: AbortSignal): readonly Operation[] {
  return [
    ...healthOperations(current),
    ...streamOperations(current),
    ...changeOperations(current),
    ...historyOperations(current),
    ...mediaOperations(current),
    feedbackOperation(current),
    liveOperation(current, ended),
    ...systemOperations(current, version),
  ];
}

function sendProblem(reply: FastifyReply, error: unknown): FastifyReply {
  const problem = problemOf(error);
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
  return reply.status(problem.status).type('application/problem+json').send(problem);
}

function nothingAnswers(method: string): Problem {
  return new Problem(
    404,
    'NOT_FOUND',
    `nothing answers ${method} here; /api/v1/openapi.json lists what there is`,
  );
}

function route(app: FastifyInstance, operation: Operation, tokens: readonly ApiToken[]): void {
  const { method, url, role, tag, summary, params, query, body, answers, handle } = operation;
  app.route({
    ...{ method, url },
    schema: {
      ...{ tags: [tag], summary },
      ...(params && { params: inputSchema(params) }),
      ...(query && { querystring: inputSchema(query) }),
      ...(body && { body }),
      ...(role && tokens.length > 0 && { security: [{ token: [] }] }),
      response: {
        ...answers,
        default: problemAnswer('A problem'),
      },
    },
    handler: async (request, reply) => {
      const caller = role && tokens.length > 0 ? authorize(request, role, tokens) : 'anyone';
      return handle(request, reply, caller);
    },
  });
}

/**
 * Where no token is asked for, a page of another site could reach us through a name of its own that leads
 * to this machine (DNS rebinding). Its requests carry that name.
 * @throws Problem 403
 */
function demandLoopbackName({ hostname }: FastifyRequest): Promise<void> {
  if (/^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(hostname)) return Promise.resolve();
  const remedy = 'name an http.token_file, or ask 127.0.0.1';
  return Promise.reject(new Problem(403, 'FORBIDDEN', `requests to ${hostname} need a token: ${remedy}`));
}

/**
 * Where no token is asked for, a page of another site could send requests from the browser of whoever sits at
 * this machine. It reads no answer, but a change would be made. A browser names the page's origin.
 * @throws Problem 403
 */
function demandOwnOrigin({ method, headers }: FastifyRequest): Promise<void> {
  const { origin, host } = headers;
  const isOwn = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
  if (isOwn || method === 'GET' || method === 'HEAD') return Promise.resolve();
  return Promise.reject(new Problem(403, 'FORBIDDEN', `a page of ${origin} may change nothing here`));
}

/** @returns the name of the token's holder, else its role. @throws Problem 401, 403 */
function authorize({ headers }: FastifyRequest, role: Role, tokens: readonly ApiToken[]): string {
  const held = holderOf(headers.authorization, tokens);
  if (!held)
    throw new Problem(401, 'UNAUTHORIZED', 'send a token of http.token_file: Authorization: Bearer TOKEN');
  if (role === 'admin' && held.role !== 'admin')
    throw new Problem(403, 'FORBIDDEN', 'this needs a token of the role admin');
  return held.name ?? held.role;
}

function inputSchema(schema: z.ZodType): object {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

function documentOf(version: string, hasTokens: boolean) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'actionstream',
      version,
      description: 'Streams, action events, compute statistics and health of one running program.',
    },
    ...(hasTokens && {
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } as const } },
    }),
  };
}
