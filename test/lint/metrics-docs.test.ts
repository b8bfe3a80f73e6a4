import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { METRICS } from '../../src/metrics/metric-list.ts';
import { renderMetricsList } from '../../tools/docs/render-metrics.ts';

test('docs/metrics.md lists exactly the metrics of the source (npm run docs renews it)', () => {
  expect(readFileSync('docs/metrics.md', 'utf8')).toBe(renderMetricsList());
});

test('every metric is exported somewhere', () => {
  const source = readFileSync('src/app/run-metrics.ts', 'utf8');

  expect(Object.keys(METRICS).filter((name) => !source.includes(`'${name}'`))).toEqual([]);
});
