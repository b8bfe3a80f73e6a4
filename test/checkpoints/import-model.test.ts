import { describe, expect, it } from 'vitest';
import type { Checkpoint, CheckpointTensor } from '../../src/checkpoints/checkpoint.ts';
import { importModel, type ImportOptions } from '../../src/checkpoints/import-model.ts';
import { parseCheckpoint } from '../../src/checkpoints/read-checkpoint.ts';
import { parseManifest } from '../../src/inference/weights/manifest.ts';
import { parseSafetensors } from '../../src/inference/weights/safetensors.ts';
import { checkpointBytes, checkpointGoldens, importGolden, modelOf } from '../support/checkpoint-goldens.ts';

const TORCHVISION = parseCheckpoint(checkpointBytes('torchvision-s3d.pth'), 'tv.pth');
const OPTIONS: ImportOptions = {
  from: 'auto',
  network: {},
  half: false,
  sha256: 'ab'.repeat(32),
  command: 'test',
  date: '2026-11-23',
};

/** A checkpoint with some tensors replaced, added or (undefined) removed. */
function changed(
  tensors: Readonly<Record<string, Partial<CheckpointTensor> | undefined>>,
  checkpoint = TORCHVISION,
): Checkpoint {
  const all = new Map(checkpoint.tensors);
  for (const [name, tensor] of Object.entries(tensors)) {
    const before = all.get(name) ?? { shape: [], dtype: 'F32', read: () => Float32Array.of(0) };
    if (tensor) all.set(name, { ...before, ...tensor });
    else all.delete(name);
  }
  return { ...checkpoint, tensors: all };
}

describe('every public layout', () => {
  it.each(checkpointGoldens)(
    '$format is recognised, and each tensor used once or left out with a reason',
    (golden) => {
      const { format, used, leftOut } = importGolden(golden);
      const names = [...parseCheckpoint(checkpointBytes(golden.file), golden.file).tensors.keys()];

      expect(format).toBe(golden.format);
      expect([...used, ...leftOut.map(({ name }) => name)].sort()).toEqual(names.sort());
      expect(leftOut.map(({ reason }) => reason)).not.toContain('no layer of this network asks for it');
    },
  );

  it.each(checkpointGoldens)('$format: its manifest is one that this program reads', (golden) => {
    const { manifest } = importGolden(golden);

    expect(parseManifest(JSON.stringify(manifest), 'manifest.json')).toEqual(manifest);
    expect(manifest.provenance?.sources[0]?.name).toMatch(/sha256:[0-9a-f]{64}$/);
  });

  it.each([
    ['torchvision-s3d', 'softmax', 15, { fit: 'stretch', scale: 256 / 224 }, 1e-3],
    ['kylemin-s3d', 'softmax', 25, { fit: 'stretch', scale: 256 / 224 }, 1e-3],
    ['milnce-s3d', 'none', 10, { fit: 'crop', scale: 1 }, 1e-5],
    ['coclr-s3dg', 'none', 30, { fit: 'crop', scale: 256 / 224 }, 1e-5],
    ['piergiaj-i3d', 'softmax', 25, { fit: 'crop', scale: 256 / 224 }, 1e-3],
    ['tf-slim-s3dg', 'softmax', 25, { fit: 'stretch', scale: 256 / 224 }, 1e-3],
  ])('%s says how it is fed and what it gives', (format, activation, fps, picture, batchNormEpsilon) => {
    const { manifest } = importGolden(checkpointGoldens.find((golden) => golden.format === format)!);

    expect(manifest).toMatchObject({ activation, clip: { fps }, picture, network: { batchNormEpsilon } });
  });

  it('a layout that writes tensors twice is refused where the two differ', () => {
    const bytes = checkpointBytes('coclr-s3dg.pth.tar');
    const checkpoint = parseCheckpoint(bytes, 'c.tar');
    const twin = 'encoder_q.0.block2.1.bn.bias';
    const tensors = new Map(checkpoint.tensors);
    tensors.set(twin, { ...tensors.get(twin)!, read: () => new Float32Array(4) });

    expect(() => importModel({ ...checkpoint, tensors }, OPTIONS)).toThrow(
      /^c\.tar: encoder_q\.0\.block2\.1\.bn\.bias: expected the values of encoder_q\.0\.Conv_2b\.bn\.bias/,
    );
  });
});

describe('a TF-slim checkpoint tells its network by its variables', () => {
  const open = (file: string): Checkpoint => parseCheckpoint(checkpointBytes(file), file);
  const [gated, fast] = [open('tf-slim-s3dg.npz'), open('tf-slim-fast.npz')];
  const stem = 'InceptionV1/Conv2d_1a_7x7/weights';
  const longer = (steps: number): Checkpoint => {
    const data = new Float32Array(steps * 7 * 7 * 3 * 3).fill(0.01);
    return changed({ [stem]: { shape: [steps, 7, 7, 3, 3], read: () => data } }, gated);
  };
  /** The same file without the variables whose name holds `part`. */
  const without = (checkpoint: Checkpoint, part: string): Checkpoint =>
    changed(
      Object.fromEntries(
        [...checkpoint.tensors.keys()].flatMap((name) => (name.includes(part) ? [[name, undefined]] : [])),
      ),
      checkpoint,
    );

  it.each<readonly [string, Checkpoint, string, string]>([
    ['gates, a stem of 3 steps', gated, 's3d-g', 'dense'],
    ['a stem of 1 step', longer(1), 's3d-g', 'flat'],
    ['a stem of 5 steps', longer(5), 's3d-g', 'dense_5'],
    ['a stem of 7 steps', longer(7), 's3d-g', 'dense_7'],
    ['no gates', without(gated, '/self_gating/'), 's3d', 'dense'],
    ['temporal convolutions from Mixed_5b', fast, 'top-heavy-s3d:Mixed_5b', 'flat'],
    ['no temporal convolutions', without(fast, '/temporal/'), 'i2d', 'flat'],
  ])('%s', (_, checkpoint, variant, form) => {
    const { manifest, leftOut } = importModel(checkpoint, OPTIONS);

    expect(manifest.network).toMatchObject({ variant, stem: form, padding: 'same', gateBias: false });
    const reasons = new Set(leftOut.map(({ reason }) => reason));
    expect([...reasons].sort()).toEqual(['belongs to the training', 'stands outside InceptionV1/']);
  });

  it.each<readonly [string, Checkpoint, RegExp]>([
    [
      'gates that begin later',
      without(gated, 'Conv2d_2c_3x3/self_gating'),
      /1 tensors do not fit tf-slim-s3dg: Conv2d_2c_3x3\/self_gating\/transformer_W\/weights: missing, expected \[1, 1, 1, 9, 9\]/,
    ],
    [
      'temporal convolutions that begin later, with gates',
      without(gated, 'Conv2d_2c_3x3/temporal'),
      /Conv2d_2c_3x3\/temporal\/weights: missing, expected \[3, 1, 1, 9, 9\]/,
    ],
    [
      'the same without gates, but a stem of 3 steps',
      without(without(gated, '/self_gating/'), 'Conv2d_2c_3x3/temporal'),
      /Conv2d_1a_7x7\/weights: found \[3, 7, 7, 3, 3\], expected \[1, 7, 7, 3, 3\]/,
    ],
    [
      'the image network of the same names',
      changed({ [stem]: { shape: [7, 7, 3, 3] } }, gated),
      /Conv2d_1a_7x7\/weights: found \[7, 7, 3, 3\], expected \[7, 7, 7, 3, 3\]/,
    ],
  ])('%s: refused', (_, checkpoint, message) => {
    expect(() => importModel(checkpoint, OPTIONS)).toThrow(message);
  });
});

describe('a checkpoint that does not fit is refused with tensor, shape found and expected', () => {
  const spatial = 'features.0.0.0.weight';

  it.each<readonly [string, Checkpoint, string, RegExp]>([
    [
      'a missing tensor',
      changed({ 'features.3.0.1.bias': undefined }),
      'auto',
      /^tv\.pth: 1 tensors do not fit torchvision-s3d: features\.3\.0\.1\.bias: missing, expected \[12\]$/,
    ],
    [
      'a wrong shape',
      changed({ 'features.2.0.weight': { shape: [4, 5, 1, 1, 1] } }),
      'auto',
      /features\.2\.0\.weight: found \[4, 5, 1, 1, 1\], expected \[4, 4, 1, 1, 1\]/,
    ],
    [
      'a stem for optical flow',
      changed({ [spatial]: { shape: [4, 2, 1, 7, 7] } }),
      'auto',
      /features\.0\.0\.0\.weight: found \[4, 2, 1, 7, 7\], expected \[4, 3, 1, 7, 7\]/,
    ],
    [
      'a width beyond reason',
      changed({ [spatial]: { shape: [100_000, 3, 1, 7, 7] } }),
      'auto',
      /gives 100000 channels, expected 64 or a few/,
    ],
    [
      'a classifier beyond reason',
      changed({ 'classifier.1.weight': { shape: [1_000_000, 64] } }),
      'auto',
      /gives 1000000 classes/,
    ],
    [
      'a value that is no number',
      changed({ 'classifier.1.bias': { read: () => Float32Array.of(0, NaN, 0, 0, 0, 0, 0) } }),
      'auto',
      /classifier\.1\.bias: value 1 is NaN, expected finite numbers/,
    ],
    [
      'another format than the one named',
      TORCHVISION,
      'kylemin-s3d',
      /its 464 tensors \(features\.0\.0\.0\.weight, .*\) are named as in none of: kylemin-s3d/,
    ],
    [
      'a network without its classifier',
      changed({ 'classifier.1.weight': undefined, 'classifier.1.bias': undefined }),
      'auto',
      /^tv\.pth: is torchvision-s3d but for classifier\.1\.weight, which it lacks; save the whole network/,
    ],
    [
      'no format at all',
      { ...TORCHVISION, tensors: new Map() },
      'auto',
      /its 0 tensors .* none of: torchvision-s3d.*kinetics-i3d/,
    ],
  ])('%s', (_, checkpoint, from, message) => {
    expect(() => importModel(checkpoint, { ...OPTIONS, from })).toThrow(message);
  });

  it.each([
    ['hassony2-i3d.pth', { height: 39 }, /hassony2-i3d takes frames of even height and width, not 39×224$/],
    ['milnce-s3d.pth', { frames: 9 }, /milnce-s3d takes blocks of .*, not 9 frames of 224×224$/],
  ])('%s at a size at which its own code pads otherwise', (file, network, message) => {
    const checkpoint = parseCheckpoint(checkpointBytes(file), file);

    expect(() => importModel(checkpoint, { ...OPTIONS, network })).toThrow(message);
  });

  it('labels that are not as many as the classes', () => {
    expect(() => importModel(TORCHVISION, { ...OPTIONS, labels: ['walk'] })).toThrow(
      /tv\.pth: has 7 outputs, but 1 labels were given/,
    );
  });

  it('a tensor that nobody knows is listed, not used', () => {
    const { leftOut } = importModel(changed({ 'auxiliary.weight': { shape: [3] } }), OPTIONS);

    expect(leftOut).toContainEqual({
      name: 'auxiliary.weight',
      reason: 'no layer of this network asks for it',
    });
  });
});

describe('an imported model', () => {
  it('takes a pooled SGS layer and its sampler, and no learned one', () => {
    const sgs = { after: 'Conv_2b', boundary: 'nearest_complete' } as const;
    const { manifest } = importModel(TORCHVISION, {
      ...OPTIONS,
      network: { sgs: { ...sgs, embedding: { kind: 'pooled', grid: 4 } } },
    });

    expect(manifest.sampler.kind).toBe('ordered');
    expect(manifest.network.sgs?.after).toBe('Conv_2b');
    expect(() =>
      importModel(TORCHVISION, {
        ...OPTIONS,
        network: { sgs: { ...sgs, embedding: { kind: 'learned', size: 8 } } },
      }),
    ).toThrow(/no public checkpoint has weights for a learned SGS embedding/);
  });

  it('as float16 is half as large and off by no more than float16 rounds; norms and biases stay exact', () => {
    const [whole, half] = [false, true].map((narrow) =>
      importModel(TORCHVISION, { ...OPTIONS, half: narrow }),
    );
    const [exact, rounded] = [modelOf(whole!).weights, parseSafetensors(half!.weights, 'half')];

    expect(half!.weights.length).toBeLessThan(0.75 * whole!.weights.length);
    for (const [name, { shape, data }] of exact) {
      const tolerance = shape.length > 1 ? 2 ** -11 : 0;
      const off = data.findIndex(
        (value, i) =>
          Math.abs(value - rounded.get(name)!.data[i]!) >
          tolerance * Math.abs(value) + (tolerance && 2 ** -25),
      );
      expect(off, name).toBe(-1);
    }
  });
});
