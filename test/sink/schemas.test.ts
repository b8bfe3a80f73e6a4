import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect, test } from 'vitest';
import type { PublishedRecord } from '../../src/core/records.ts';
import { toCloudEvent } from '../../src/sink/kafka/cloud-event.ts';
import { actionEvent, clipStats, streamStatus } from '../support/records.ts';

interface Schema {
  readonly $id?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: boolean;
}

const NAMES = ['action-event', 'clip-stats', 'stream-status'] as const;

function schemaOf(name: string): Schema {
  return JSON.parse(
    readFileSync(join(import.meta.dirname, `../../schemas/${name}.schema.json`), 'utf8'),
  ) as Schema;
}

const RUN = 'd3a1f1b6-0000-5000-8000-000000000001';

const RECORDS: readonly (readonly [(typeof NAMES)[number], PublishedRecord])[] = [
  ['action-event', actionEvent()],
  ['action-event', actionEvent({ state: 'updated', duration_ms: 1200 })],
  ['action-event', actionEvent({ state: 'ended' })],
  ['clip-stats', clipStats()],
  ['clip-stats', clipStats({ run_id: RUN })],
  ['action-event', actionEvent({ run_id: RUN })],
  ['stream-status', streamStatus({ run_id: RUN })],
  ['stream-status', streamStatus()],
  ['action-event', actionEvent({ region: { x: 0, y: 0.5, width: 0.25, height: 0.5 }, zones: ['door'] })],
  ['action-event', actionEvent({ stream: { site: 'Kiel', tags: [] } })],
  ['stream-status', streamStatus({ stream: { name: 'Dock 3', tags: ['dock'], location: '54.3 N' } })],
  [
    'stream-status',
    streamStatus({
      ...{ state: 'gap', reason: 'exit', detail: 'camera closed' },
      gap: { from: '2026-11-22T10:00:00.000Z', to: '2026-11-22T10:00:03.000Z' },
    }),
  ],
];

test.each(RECORDS)('a record of ours conforms to %s and holds nothing undeclared', (name, record) => {
  const ajv = addFormats.default(new Ajv2020.default({ strict: true, allErrors: true }));
  const validate = ajv.compile(closed(schemaOf(name)));

  expect(validate(record.payload), JSON.stringify(validate.errors)).toBe(true);
});

test.each(NAMES)(
  '%s refuses a record without a required field and accepts fields it does not know',
  (name) => {
    const ajv = addFormats.default(new Ajv2020.default({ strict: true }));
    const validate = ajv.compile(schemaOf(name));
    const [, record] = RECORDS.find(([candidate]) => candidate === name)!;
    const without = { ...record.payload, stream_id: undefined };

    expect(validate({ ...record.payload, invented_later: 1 })).toBe(true);
    expect(validate(without)).toBe(false);
  },
);

test.each(RECORDS)('ce_dataschema of a %s is the identity of its schema', (name, record) => {
  const { headers } = toCloudEvent({ offset: 0, recordedAtMs: 0, record });

  expect(headers['ce_dataschema']).toBe(schemaOf(name).$id);
});

// A consumer of v1 must understand every later v1. The checked-in copy is v1 as
// first published: never edit it.
test.each(NAMES)('%s only adds optional fields to v1 as first published', (name) => {
  const path = join(import.meta.dirname, `../fixtures/schemas/${name}.v1.json`);
  const published = JSON.parse(readFileSync(path, 'utf8')) as Schema;

  expect(breaches(published, schemaOf(name), '')).toEqual([]);
});

test('a changed type, a lost field and a new required field are breaches', () => {
  const text = { type: 'string' };
  const old = { type: 'object', properties: { a: text, b: text }, required: ['a'] };

  expect(breaches(old, { ...old, properties: { ...old.properties, c: text } }, '')).toEqual([]);
  expect(breaches(old, { ...old, properties: { ...old.properties, a: { type: 'number' } } }, '')).toEqual([
    '/a: type',
  ]);
  expect(breaches(old, { ...old, properties: { a: text } }, '')).toEqual(['/b: gone']);
  expect(breaches(old, { ...old, required: ['a', 'b'] }, '')).toEqual([': required']);
});

/** Where `now` breaks what `before` promised: fields, their types, and which are required. */
function breaches(before: Schema, now: Schema, path: string): readonly string[] {
  const required = [before, now].map((schema) => JSON.stringify([...(schema.required ?? [])].sort()));
  const fields = Object.entries(before.properties ?? {}).flatMap(([name, field]) => {
    const current = now.properties?.[name];
    return current ? breaches(field, current, `${path}/${name}`) : [`${path}/${name}: gone`];
  });
  return [
    ...(before.type === now.type ? [] : [`${path}: type`]),
    ...(required[0] === required[1] ? [] : [`${path}: required`]),
    ...fields,
    ...(before.items ? breaches(before.items, now.items ?? {}, `${path}/*`) : []),
  ];
}

/** The same schema with every object closed: for producers, not for consumers. */
function closed(schema: Schema): Schema {
  return {
    ...schema,
    ...(schema.properties
      ? {
          additionalProperties: false,
          properties: Object.fromEntries(
            Object.entries(schema.properties).map(([key, value]) => [key, closed(value)]),
          ),
        }
      : {}),
    ...(schema.items ? { items: closed(schema.items) } : {}),
  };
}
