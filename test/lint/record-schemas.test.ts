import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderRecordSchemas } from '../../tools/docs/render-record-schemas.ts';

test.each(Object.entries(renderRecordSchemas()))(
  '%s is what the list of fields says (npm run docs renews it)',
  (file, text) => {
    expect(readFileSync(file, 'utf8')).toBe(text);
  },
);
