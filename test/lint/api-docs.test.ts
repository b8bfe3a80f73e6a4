import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderApiTypes } from '../../tools/docs/render-api-types.ts';
import { renderApi } from '../../tools/docs/render-api.ts';

test('docs/api.md lists exactly the operations of the source (npm run docs renews it)', () => {
  expect(readFileSync('docs/api.md', 'utf8')).toBe(renderApi());
});

test('the types of the client are those of the document that a program serves (npm run docs renews them)', async () => {
  expect(readFileSync('src/client/api-types.ts', 'utf8')).toBe(await renderApiTypes());
});
