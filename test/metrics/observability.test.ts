import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { METRICS } from '../../src/metrics/metric-list.ts';
import { createRenderer } from '../../src/metrics/registry.ts';
import { ROOT } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runReadingOf } from './run-reading.ts';

/** What promtool (of the Prometheus package) says of the rules, the metrics and the dashboard. */
const RULES = path.join(ROOT, 'deploy', 'prometheus', 'alerts.yaml');

interface Rule {
  readonly alert: string;
  readonly expr: string;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

const { groups } = parse(readFileSync(RULES, 'utf8')) as { groups: readonly { rules: readonly Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(
  readFileSync(path.join(ROOT, 'deploy', 'grafana', 'actionstream.json'), 'utf8'),
) as { readonly panels: readonly Panel[] };
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr })),
);

test('each alert fires when it should, and none while all is well', () => {
  const said = promtool(['test', 'rules', path.join(path.dirname(RULES), 'alerts.test.yaml')]);
  expect(said).toMatch(/SUCCESS/);
  const tests = readFileSync(path.join(path.dirname(RULES), 'alerts.test.yaml'), 'utf8');
  for (const { alert } of rules)
    expect(tests).toMatch(new RegExp(`alertname: ${alert}\\n\\s+exp_alerts:\\n\\s+- exp_labels`));
});

test('the example of a Prometheus configuration is one', () => {
  promtool(['check', 'config', path.join(path.dirname(RULES), 'prometheus.yaml')]);
});

test('docs/operations.md says what to do about each alert', () => {
  const told = readFileSync(path.join(ROOT, 'docs', 'operations.md'), 'utf8');
  const named = [...told.matchAll(/^\| `(Actionstream\w+)` +\| [^|]+\| [^|]+\|$/gm)].map(
    ([, alert]) => alert,
  );
  expect(named).toEqual(rules.map(({ alert }) => alert));
});

test('promtool finds nothing to object to in what a run serves', async () => {
  const text = await createRenderer(METRICS, () => runReadingOf({ clips: 3, isBusy: true }))();
  // The names of prom-client's own figures are not ours.
  const ours = text.slice(0, text.indexOf('# HELP process_'));
  promtool(['check', 'metrics'], ours);
});

test('every query of the dashboard can be parsed and asks for metrics that there are', async () => {
  const file = path.join(await temporaryDirectory(), 'queries.yaml');
  const records = queries.map(({ expr }, n) => ({
    record: `query_${n}`,
    expr: expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(instance|stream)/g, '.*'),
  }));
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: records }] }));
  promtool(['check', 'rules', file]);

  expect(queries.length).toBeGreaterThan(10);
  for (const { title, expr } of [
    ...queries,
    ...rules.map(({ alert, expr: e }) => ({ title: alert, expr: e })),
  ]) {
    const asked = [...expr.matchAll(/\b(actionstream_\w+)(?:\{([^}]*)\})?/g)];
    for (const [, name = '', matchers = ''] of asked) {
      expect(Object.keys(METRICS), title).toContain(name);
      const { labels } = METRICS[name as keyof typeof METRICS];
      const known = [...labels, 'instance', 'job'];
      for (const [, label] of matchers.matchAll(/(\w+)=~?"/g))
        expect(known, `${title}: ${expr}`).toContain(label);
    }
  }
});

test('panels of the dashboard have ids of their own and do not cover each other', () => {
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, n) => `${x + (n % w)} ${y + Math.floor(n / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
});

function promtool(args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { encoding: 'utf8', input });
  if (error) throw new Error('promtool is missing: it comes with the package prometheus of the system');
  expect(status, stdout + stderr).toBe(0);
  return stdout + stderr;
}
