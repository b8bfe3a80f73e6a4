import { isGroup, VALUE_KINDS, type Field, type Fields, type Group } from '../../src/core/fields.ts';
import { RECORD_KINDS, schemaIdOf } from '../../src/core/record-fields.ts';
import { RECORD_TYPES } from '../../src/core/records.ts';

/**
 * The JSON Schemas of all kinds of records by file, from their lists of fields in src/core/record-fields.ts.
 */
export function renderRecordSchemas(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    RECORD_TYPES.map((type) => {
      const { fields, schema: name, title, doc: description } = RECORD_KINDS[type];
      const $schema = 'https://json-schema.org/draft/2020-12/schema';
      const schema = {
        $schema,
        $id: schemaIdOf(type),
        title,
        description,
        type: 'object',
        ...objectSchema(fields),
      };
      return [`schemas/${name}.schema.json`, `${JSON.stringify(schema, null, 2)}\n`];
    }),
  );
}

/** Open: consumers ignore fields that they do not know. */
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
