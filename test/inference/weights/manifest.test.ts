import { describe, expect, it } from 'vitest';
import { DEFAULT_NETWORK_OPTIONS } from '../../../src/inference/network/build.ts';
import { parseManifest } from '../../../src/inference/weights/manifest.ts';

const GOOD = {
  id: 'porch',
  version: '1.2.0',
  network: {
    variant: 's3d-g',
    frames: 32,
    height: 112,
    width: 112,
    classes: 3,
    sgs: { after: 'Conv_2b', embedding: { kind: 'pooled', grid: 2 }, boundary: 'nearest_complete' },
  },
  labels: ['nothing', 'walk', 'lift'],
  background: 'nothing',
  activation: 'softmax',
  sampler: { kind: 'ordered', width: 0.1 },
  clip: { fps: 12.5, stride: 16 },
  weights: { file: 'model.safetensors', sha256: 'ab'.repeat(32) },
  thresholds: { walk: { on: 0.7, off: 0.4 } },
  provenance: {
    date: '2026-11-23',
    command: 'train',
    sources: [{ name: 'porch camera', licence: 'ours', use: '12 clips' }],
  },
};

/** The manifest with the value at a dotted path replaced; undefined removes it. */
function changed(path: string, value: unknown): string {
  const manifest = structuredClone(GOOD) as Record<string, unknown>;
  const keys = path.split('.');
  let object = manifest;
  for (const key of keys.slice(0, -1)) object = object[key] as Record<string, unknown>;
  object[keys.at(-1)!] = value;
  return JSON.stringify(manifest);
}

describe('manifest', () => {
  it('is read with the defaults of family and sampler filled in', () => {
    const manifest = parseManifest(JSON.stringify(GOOD), 'manifest.json');

    expect(manifest).toMatchObject({ ...GOOD, network: { ...DEFAULT_NETWORK_OPTIONS, ...GOOD.network } });
    expect(manifest.sampler).toEqual({ kind: 'ordered', width: 0.1, distance: 'l2' });
  });

  it('may leave out background, thresholds and sgs, and then has no such keys', () => {
    const { id, version, labels, activation, clip, weights } = GOOD;
    const network = { variant: 'i3d', frames: 8, height: 64, width: 64, classes: 3 };
    const sampler = { kind: 'none' };
    const text = JSON.stringify({ id, version, network, labels, activation, sampler, clip, weights });

    const manifest = parseManifest(text, 'manifest.json');

    expect(Object.keys(manifest)).not.toContain('background');
    expect(Object.keys(manifest)).not.toContain('thresholds');
    expect(Object.keys(manifest.network)).not.toContain('sgs');
  });

  it.each<[string, string, unknown, RegExp]>([
    ['an unknown key', 'extra', 1, /"extra"/],
    ['a missing id', 'id', undefined, /id: /],
    ['an unknown variant', 'network.variant', 's4d', /network\.variant: no network "s4d"; known: i3d/],
    ['a cut that is none', 'network.variant', 'fast-s3d:Conv_2c', /takes no layer/],
    ['no frames', 'network.frames', 0, /network\.frames: /],
    ['a fractional size', 'network.height', 112.5, /network\.height: /],
    ['a misspelt option', 'network.widthMultiplyer', 0.5, /network: .*"widthMultiplyer"/],
    [
      'a deviation of zero',
      'network.input',
      { kind: 'rgb', mean: [0, 0, 0], std: [0, 1, 1] },
      /network\.input\.std\.0/,
    ],
    ['an SGS layer nowhere', 'network.sgs.after', 'Conv_9', /network\.sgs\.after: /],
    ['labels of another number', 'labels', ['a', 'b'], /labels: there are 2, but network\.classes is 3/],
    ['a label twice', 'labels', ['walk', 'walk', 'nothing'], /labels: "walk" stands there twice/],
    ['a background that is no label', 'background', 'void', /background: "void" is none of the labels/],
    ['thresholds of no label', 'thresholds', { run: { on: 1, off: 0 } }, /thresholds: "run" is none/],
    ['a date that is none', 'provenance.date', 'yesterday', /provenance\.date/],
    ['off above on', 'thresholds.walk', { on: 0.2, off: 0.4 }, /thresholds\.walk: off must not be above on/],
    ['an unknown sampler', 'sampler', { kind: 'best' }, /sampler: sampler\.kind: expected one of none/],
    ['a sampler option out of range', 'sampler', { kind: 'uniform', stride: 0 }, /sampler\.stride: expected/],
    ['a sampler without SGS', 'network.sgs', undefined, /sampler: .*has no SGS layer.*Conv_2b/],
    [
      'weights outside the folder',
      'weights.file',
      '../other/model.safetensors',
      /weights\.file: must be the name/,
    ],
    ['no digest', 'weights.sha256', 'abc', /weights\.sha256: must be 64/],
    ['a stride of zero', 'clip.stride', 0, /clip\.stride: /],
  ])('refuses %s', (_, path, value, message) => {
    const parse = (): unknown => parseManifest(changed(path, value), 'models/m/manifest.json');

    expect(parse).toThrow(message);
    expect(parse).toThrow(/^models\/m\/manifest\.json: /);
    expect(parse).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }));
  });

  it('names every wrong key at once', () => {
    const text = changed('network', { ...GOOD.network, frames: -1, padding: 'valid' });

    expect(() => parseManifest(text, 'm')).toThrow(/network\.frames: .*; network\.padding: /);
  });

  it('refuses what is no JSON', () => {
    expect(() => parseManifest('{', 'm.json')).toThrow(/^m\.json: is no JSON/);
  });
});
