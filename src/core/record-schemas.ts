import { isGroup, VALUE_KINDS, type Field, type Fields, type Group } from './fields.ts';
import { RECORD_KINDS, schemaIdOf } from './record-fields.ts';
import type { RecordType } from './records.ts';

/** JSON Schema 2020-12 of a kind of record. It is open: consumers ignore fields that they do not know. */
export function recordSchema(type: RecordType): Readonly<Record<string, unknown>> {
  const { fields, title, doc: description } = RECORD_KINDS[type];
  const $schema = 'https://json-schema.org/draft/2020-12/schema';
  return { $schema, $id: schemaIdOf(type), title, description, type: 'object', ...objectSchema(fields) };
}

function objectSchema(fields: Fields): object {
  const entries = Object.entries(fields);
  return {
    properties: Object.fromEntries(entries.map(([name, field]) => [name, schemaOf(field)])),
    required: entries.filter(([, { isOptional }]) => isOptional !== true).map(([name]) => name),
  };
}

function schemaOf(field: Field | Group<Fields>): object {
  const description = field.doc === undefined ? {} : { description: field.doc };
  if (isGroup(field)) return { type: 'object', ...description, ...objectSchema(field.members) };
  const { type, ...rest } = VALUE_KINDS[field.kind].schema;
  const items = field.items && { items: { type: 'object', ...objectSchema(field.items) } };
  return { type, ...description, ...rest, ...items };
}
