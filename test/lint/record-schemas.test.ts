import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderDefinitionSchema } from '../../tools/docs/render-definition-schema.ts';
import { renderRecordSchemas } from '../../tools/docs/render-record-schemas.ts';

test.each(Object.entries(renderRecordSchemas()))(
  '%s is what the list of fields says (npm run docs renews it)',
  (file, text) => {
    expect(readFileSync(file, 'utf8')).toBe(text);
  },
);

test('schemas/stream-definition.schema.json is what the schema of streams says (npm run docs renews it)', () => {
  expect(readFileSync('schemas/stream-definition.schema.json', 'utf8')).toBe(renderDefinitionSchema());
});
