import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTokens } from '../../../src/api/tokens.ts';
import { serveApi } from '../../support/api.ts';
import { actionEvent, clipStats, streamStatus } from '../../support/records.ts';

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

interface DocumentOperation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: BodySchema }>> };
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

interface BodySchema {
  readonly properties?: Readonly<Record<string, object>>;
}

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 60);

test('every operation of the document answers any parameters within its schema, and never with 500', async () => {
  const { url, publish } = await serveApi();
  await publish([actionEvent(), clipStats(), streamStatus()]);
  const document = (await (await fetch(`${url}/api/v1/openapi.json`)).json()) as Document;
  expect(document.openapi).toBe('3.1.0');
  // A stream of events has no end to wait for; its own tests read it.
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    path === '/api/v1/live'
      ? []
      : Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  expect(operations.length).toBeGreaterThan(18);
  const check = validatorOf(document);

  for (const { path, method, operation } of operations) {
    const { parameters = [], responses, requestBody } = operation;
    const schema = requestBody?.content['application/json']?.schema;
    await fc.assert(
      fc.asyncProperty(
        fc.array(valueOf(), { minLength: parameters.length, maxLength: parameters.length }),
        schema ? bodyOf(schema) : fc.constant(undefined),
        async (values, body) => {
          const target = new URL(url);
          target.pathname = path.replace(/\{(\w+)\}/g, (_, name: string) => {
            const at = parameters.findIndex((parameter) => parameter.name === name);
            return encodeURIComponent(values[at] ?? 'x') || 'x';
          });
          parameters.forEach(({ name, in: place }, at) => {
            if (place === 'query' && values[at] !== undefined) target.searchParams.append(name, values[at]);
          });

          const response = await fetch(target, {
            method: method.toUpperCase(),
            ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
          });
          const text = await response.text();

          expect(response.status, `${target.href}: ${text}`).not.toBe(500);
          expect(text.length).toBeLessThan(200_000);
          const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
          const answer = responses[response.status] ?? responses['default'];
          const media = answer?.content?.[type];
          expect(media, `${response.status} ${type} of ${path} is not in the document`).toBeDefined();
          if (type.endsWith('json')) check(media?.schema ?? {}, JSON.parse(text), target.href);
        },
      ),
      { numRuns: parameters.length === 0 && !schema ? 1 : RUNS },
    );
  }
});

test('with tokens, reading needs one, settings need an admin, health needs none, and nothing else is told', async () => {
  const tokens = parseTokens('read reader-0123456789ab\nadmin admin-0123456789abc');
  const { url } = await serveApi({ tokens });
  const ask = async (path: string, token?: string): Promise<number> => {
    const response = await fetch(
      `${url}${path}`,
      token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
    );
    await response.text();
    return response.status;
  };

  for (const path of ['/api/v1/streams', '/api/v1/events', '/api/v1/live', '/metrics', '/api/v1/config']) {
    expect(await ask(path), path).toBe(401);
    expect(await ask(path, 'reader-0123456789'), path).toBe(401);
  }
  expect(await ask('/api/v1/streams', 'reader-0123456789ab')).toBe(200);
  expect(await ask('/api/v1/config', 'reader-0123456789ab')).toBe(403);
  expect(await ask('/api/v1/config', 'admin-0123456789abc')).toBe(200);
  for (const path of ['/livez', '/readyz', '/startupz', '/version']) expect(await ask(path), path).toBe(200);
});

test('without tokens, a request under another name than that of this machine is refused', async () => {
  const { url } = await serveApi();
  const ask = async (host: string): Promise<number | undefined> => {
    const request = get(`${url}/api/v1/streams`, { headers: { host } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };

  for (const host of ['localhost', 'localhost:8080', '127.0.0.1:1', '[::1]:8080'])
    expect(await ask(host), host).toBe(200);
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:8080', '10.0.0.1'])
    expect(await ask(host), host).toBe(403);
});

test('while the model is loaded the process is alive and not ready, and the rest says to ask again', async () => {
  const { url } = await serveApi({ isStarting: true });
  const ask = async (path: string): Promise<readonly [number, unknown]> => {
    const response = await fetch(`${url}${path}`);
    return [response.status, await response.json()];
  };

  expect(await ask('/livez')).toEqual([200, { status: 'ok' }]);
  expect(await ask('/startupz')).toEqual([503, { status: 'starting' }]);
  expect(await ask('/readyz')).toEqual([503, expect.objectContaining({ status: 'not ready' })]);
  expect(await ask('/api/v1/streams')).toEqual([503, expect.objectContaining({ code: 'NOT_READY' })]);
});

test('a stream is shown without its login, and with its last frame', async () => {
  const { url } = await serveApi();
  const text = await (await fetch(`${url}/api/v1/streams`)).text();
  expect(text).not.toContain('opensesame');
  const { streams } = JSON.parse(text) as { readonly streams: readonly object[] };
  expect(streams).toMatchObject([
    { stream_id: 'cam-1', kind: 'live', state: 'up', newest_clip: { clip_id: 'cam-1/0/0' } },
    { stream_id: 'cam 2/ü', kind: 'file' },
    { stream_id: 'dock', origin: 'file' },
  ]);

  const frame = await fetch(`${url}/api/v1/streams/cam-1/snapshot`);
  expect([frame.status, frame.headers.get('content-type')]).toEqual([200, 'image/png']);
  const none = await fetch(`${url}/api/v1/streams/${encodeURIComponent('cam 2/ü')}/snapshot`);
  expect([none.status, await none.json()]).toEqual([
    404,
    expect.objectContaining({ detail: 'stream cam 2/ü has no scored clip yet' }),
  ]);
});

test('what nothing answers is a problem in words', async () => {
  const { url } = await serveApi();
  for (const path of ['/%ff', '/api/v1/streams/%00', '/api/v1/nothing', '//', '/api/v1/events/no-uuid']) {
    const response = await fetch(`${url}${path}`);
    expect([400, 404], path).toContain(response.status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const detail = expect.stringMatching(/\w/) as string;
    expect(await response.json()).toMatchObject({ status: response.status, detail });
  }
});

/** Values that mean something somewhere, and any text. */
function valueOf(): fc.Arbitrary<string | undefined> {
  return fc.oneof(
    fc.constant(undefined),
    fc.constantFrom('cam-1', 'json', 'ndjson', 'csv', '10', '1000', '0.5', '-1', '1e309', 'NaN', ''),
    fc.constantFrom(
      '2026-11-22T10:00:00Z',
      '0001-01-01T00:00:00Z',
      '9999-12-31T23:59:59Z',
      '2026-02-30T00:00:00Z',
    ),
    fc.constantFrom(
      'b0a8d4de-6f0e-5d1e-8b1e-0123456789ab',
      Buffer.from('2026-11-22T10:00:00Z x').toString('base64url'),
    ),
    fc.constantFrom(
      Buffer.from('9999-99-99Z 00000000-0000-0000-0000-000000000000').toString('base64url'),
      Buffer.from(
        '2026-11-22T10:00:00.000Z 99999999999999999999 00000000-0000-0000-0000-000000000000',
      ).toString('base64url'),
    ),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ maxLength: 700 }),
  );
}

/** Any text, any JSON, and settings that are known with values that mean something in one or another. */
function bodyOf({ properties = {} }: BodySchema): fc.Arbitrary<string> {
  const value = fc.oneof(
    valueOf(),
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(
      'rtsp://127.0.0.1:1/cam',
      'rtsp://user:pass@127.0.0.1:1/***',
      'live',
      true,
      null,
      8,
      '10s',
      {},
    ),
  );
  const keys = [...Object.keys(properties), 'id', 'url', 'paused', 'window', 'events', '__proto__'];
  return fc.oneof(
    fc.dictionary(fc.constantFrom(...keys), value).map((settings) => JSON.stringify(settings)),
    fc
      .record({ id: fc.stringMatching(/^[a-z]{1,3}$/), url: value })
      .map((settings) => JSON.stringify(settings)),
    fc.json(),
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.constant('{"a":'.repeat(100)),
    fc.constant(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`),
  );
}

/** Checks a value against a schema of the document. */
function validatorOf({ components }: Document): (schema: object, value: unknown, what: string) => void {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  return (schema, value, what) => {
    const isValid = ajv.validate({ ...schema, components }, value);
    expect(isValid, `${what}: ${ajv.errorsText()}`).toBe(true);
  };
}
