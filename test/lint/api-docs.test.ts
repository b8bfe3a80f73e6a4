import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderApi } from '../../tools/docs/render-api.ts';

test('docs/api.md lists exactly the operations of the source (npm run docs renews it)', () => {
  expect(readFileSync('docs/api.md', 'utf8')).toBe(renderApi());
});
