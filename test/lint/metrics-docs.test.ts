import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderMetricsList } from '../../tools/docs/render-metrics.ts';

test('docs/metrics.md lists exactly the metrics of the source (npm run docs renews it)', () => {
  expect(readFileSync('docs/metrics.md', 'utf8')).toBe(renderMetricsList());
});
