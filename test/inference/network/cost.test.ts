import { describe, expect, it } from 'vitest';
import { buildNetwork } from '../../../src/inference/network/build.ts';
import { countCost, shapesOf } from '../../../src/inference/network/cost.ts';
import type { NetworkOptions } from '../../../src/inference/network/graph.ts';
import { TEMPORAL_STAGES } from '../../../src/inference/network/stages.ts';
import { listVariantNames, parseVariant } from '../../../src/inference/network/variants.ts';

// 400 classes, 64 × 224², multiply-adds. Counted independently from the
// published layer table (docs/adr/0007); the digits are those of that count.
const DENSE_TABLE: readonly (readonly [Partial<NetworkOptions>, millions: number, giga: number])[] = [
  [{ variant: 'i3d' }, 12.7, 111.15],
  [{ variant: 'i2d' }, 6.01, 36.89],
  [{ variant: 's3d' }, 8.32, 71.92],
  [{ variant: 's3d', stem: 'dense' }, 8.31, 64.18],
  [{ variant: 's3d-g' }, 9.545, 71.92],
  [{ variant: 'fast-s3d' }, 6.86, 37.22],
];

const CUTS_ABOVE_STEM = TEMPORAL_STAGES.slice(1);
const CUT_TABLE = [
  {
    base: 'top-heavy-s3d',
    cuts: CUTS_ABOVE_STEM,
    millions: [8.29, 8.18, 8.13, 7.99, 7.85, 7.69, 7.48, 7.22, 6.86, 6.5],
    giga: [56.6, 45.5, 44.2, 40.7, 40.3, 39.8, 39.2, 38.3, 37.2, 37.1],
  },
  {
    base: 'top-heavy-i3d',
    cuts: CUTS_ABOVE_STEM,
    millions: [12.64, 12.42, 12.19, 11.69, 11.32, 10.84, 10.22, 9.44, 8.44, 7.45],
    giga: [88.5, 66.3, 60.5, 48.0, 46.9, 45.4, 43.4, 41.0, 37.8, 37.4],
  },
  {
    base: 'bottom-heavy-i3d',
    cuts: TEMPORAL_STAGES.slice(0, 10),
    millions: [6.07, 6.29, 6.52, 7.02, 7.39, 7.87, 8.49, 9.27, 10.26, 11.26],
    giga: [59.6, 81.8, 87.5, 100.0, 101.2, 102.7, 104.6, 107.1, 110.2, 110.6],
  },
] as const;

describe('parameters and multiply-adds are those of the layer table', () => {
  it.each(DENSE_TABLE)('%o: %d M, %d G', (options, millions, giga) => {
    const { parameters, multiplyAdds } = countCost(buildNetwork(options));

    expect(Math.abs(parameters / 1e6 - millions)).toBeLessThanOrEqual(0.0051);
    expect(Math.abs(multiplyAdds / 1e9 - giga)).toBeLessThanOrEqual(0.0051);
  });

  const rows = CUT_TABLE.flatMap(({ base, cuts, millions, giga }) =>
    cuts.map((cut, i) => [`${base}:${cut}`, millions[i]!, giga[i]!] as const),
  );
  it.each(rows)('%s: %d M, %d G', (variant, millions, giga) => {
    const { parameters, multiplyAdds } = countCost(buildNetwork({ variant }));

    expect(Math.abs(parameters / 1e6 - millions)).toBeLessThanOrEqual(0.0051);
    // One decimal, cut or rounded from two.
    expect(Math.abs(multiplyAdds / 1e9 - giga)).toBeLessThanOrEqual(0.06);
  });

  it("torchvision's S3D to the parameter: 8 320 048, and 17.98 G at 16 frames", () => {
    const { parameters, multiplyAdds } = countCost(buildNetwork({ variant: 's3d', frames: 16 }));

    expect(parameters).toBe(8_320_048);
    expect(multiplyAdds / 1e9).toBeCloseTo(17.98, 2);
  });

  it('temporal convolutions on all four branches add 1.388 M and 4.0 G', () => {
    const two = countCost(buildNetwork({ variant: 's3d' }));
    const four = countCost(buildNetwork({ variant: 's3d-4branch' }));

    expect((four.parameters - two.parameters) / 1e6).toBeCloseTo(1.388, 3);
    expect((four.multiplyAdds - two.multiplyAdds) / 1e9).toBeCloseTo(4.0, 1);
  });

  it.each([
    ['Conv_1a', 0.265],
    ['Conv_2b', 0.271],
    ['Conv_2c', 0.579],
    ['Mixed_3b', 0.652],
    ['Mixed_3c', 0.818],
    ['Mixed_4b', 0.84],
    ['Mixed_4f', 0.983],
  ] as const)('SGS after %s finds %d of the cost already spent', (after, share) => {
    const sgs = { after, embedding: { kind: 'pooled', grid: 1 }, boundary: 'as_is' } as const;
    const { lowerMultiplyAdds, multiplyAdds } = countCost(buildNetwork({ variant: 's3d-g', sgs }));

    expect(lowerMultiplyAdds / multiplyAdds).toBeCloseTo(share, 2);
  });
});

describe('the cost follows the kept steps', () => {
  const sgs = { after: 'Conv_2b', embedding: { kind: 'learned', size: 8 }, boundary: 'as_is' } as const;
  const network = buildNetwork({ sgs });

  it('keeping all costs what the whole network costs', () => {
    const { inputSteps, multiplyAdds } = countCost(network);

    expect(inputSteps).toBe(32);
    expect(countCost(network, { keptSteps: 32 }).multiplyAdds).toBe(multiplyAdds);
  });

  it('never falls with more steps, and never touches the lower half', () => {
    const costs = Array.from({ length: 32 }, (_, i) => countCost(network, { keptSteps: i + 1 }));

    costs.slice(1).forEach((cost, i) => {
      expect(cost.multiplyAdds).toBeGreaterThan(costs[i]!.multiplyAdds);
      expect(cost.lowerMultiplyAdds).toBe(costs[0]!.lowerMultiplyAdds);
    });
  });

  it('halving the steps after Conv_2b saves 36 to 37 %', () => {
    const whole = countCost(network).multiplyAdds;
    const half = countCost(network, { keptSteps: 16 }).multiplyAdds;

    expect(1 - half / whole).toBeGreaterThan(0.36);
    expect(1 - half / whole).toBeLessThan(0.37);
  });
});

describe('shapes are those of the layer table', () => {
  it.each([
    ['Conv_1a.temporal', [32, 112, 112, 64]],
    ['MaxPool_2a', [32, 56, 56, 64]],
    ['Conv_2c.temporal', [32, 56, 56, 192]],
    ['MaxPool_3a', [32, 28, 28, 192]],
    ['Mixed_3b', [32, 28, 28, 256]],
    ['Mixed_3c', [32, 28, 28, 480]],
    ['MaxPool_4a', [16, 14, 14, 480]],
    ['Mixed_4e', [16, 14, 14, 528]],
    ['Mixed_4f', [16, 14, 14, 832]],
    ['MaxPool_5a', [8, 7, 7, 832]],
    ['Mixed_5c', [8, 7, 7, 1024]],
    ['Head', [1, 1, 1, 400]],
  ])('%s is %o at 64 × 224²', (name, shape) => {
    for (const padding of ['symmetric', 'same'] as const) {
      expect(shapesOf(buildNetwork({ variant: 's3d', padding })).get(name)).toEqual(shape);
    }
  });

  it('no map vanishes: one frame of one pixel still has a shape in every variant and padding', () => {
    for (const variant of listVariantNames()) {
      for (const padding of ['symmetric', 'same'] as const) {
        const network = buildNetwork({ variant, padding, frames: 1, height: 1, width: 1 });
        for (const shape of shapesOf(network).values()) expect(Math.min(...shape)).toBeGreaterThanOrEqual(1);
      }
    }
  });
});

describe('names of the family', () => {
  it('every listed name is its own canonical name', () => {
    for (const name of listVariantNames()) expect(parseVariant(name).name).toBe(name);
  });

  it.each([
    ['s3d-h', /no network "s3d-h"; known: i3d/],
    ['top-heavy-s3d', /needs a layer, e.g. top-heavy-s3d:Mixed_4b/],
    ['s3d:Mixed_4b', /takes no layer/],
    ['top-heavy-i3d:Conv_2b', /no layer "Conv_2b"; known: Conv_1a, Conv_2c/],
  ])('%s is refused with the known names', (name, message) => {
    expect(() => parseVariant(name)).toThrow(message);
  });
});
