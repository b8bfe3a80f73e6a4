import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkConfig } from '../../src/app/check-config.ts';
import { loadConfig } from '../../src/config/index.ts';
import { renderConfig, renderConfigSchema } from '../../tools/docs/render-config.ts';

const EXAMPLE = 'deploy/actionstream.example.yaml';

describe('configuration documents', () => {
  test('docs/config.md is what the schema says (npm run docs renews it)', () => {
    expect(readFileSync('docs/config.md', 'utf8')).toBe(renderConfig());
  });

  test('schemas/config.schema.json is what the schema says (npm run docs renews it)', () => {
    expect(readFileSync('schemas/config.schema.json', 'utf8')).toBe(renderConfigSchema());
  });

  test('the example file is valid as it stands, and names labels that its model has', async () => {
    const config = loadConfig(EXAMPLE, { env: {} });

    expect(await checkConfig(config)).toBeUndefined();
    expect(config.streams.map(({ streamId }) => streamId)).toEqual(['dock-3', 'archive']);
    expect(Object.keys(config.sinks)).toEqual(['kafka', 'postgres', 'ndjson']);
  });

  test('the example file leaves δ and thresholds to the model, which brings tuned ones', () => {
    const { effective } = loadConfig(EXAMPLE, { env: {} });
    const written = effective.filter(({ layer }) => layer === 'file').map(({ key }) => key);

    expect(written).toContain('events.labels.fall.cooldown');
    expect(written.filter((key) => /(^|\.)(sampler\.|on$|off$|smoothing$)/.test(key))).toEqual([]);
  });

  test('the published JSON Schema accepts the example and refuses what the program refuses', () => {
    const ajv = new Ajv2020({ allErrors: true });
    addFormats.default(ajv);
    const validate = ajv.compile(JSON.parse(renderConfigSchema()) as object);
    const example = parse(readFileSync(EXAMPLE, 'utf8')) as Record<string, unknown>;

    expect(validate(example) || validate.errors).toBe(true);
    expect(validate({ ...example, modle: {} })).toBe(false);
    expect(validate({ ...example, events: { cooldown: 5 } })).toBe(false);
  });
});
