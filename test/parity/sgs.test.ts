import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { planSampling } from '../../src/sampler/index.ts';
import type { ReferenceOptions } from '../../src/sampler/types.ts';

/** Written by tools/goldens/make_sgs_goldens.py: what the official code computes, in double precision. */
interface Golden {
  readonly atol: number;
  readonly cases: readonly {
    readonly kernel: ReferenceOptions['kernel'];
    readonly distance: ReferenceOptions['distance'];
    readonly bins: number;
    readonly input_length: number;
    readonly size: number;
    readonly embeddings: readonly (readonly number[])[];
    readonly output_length: number;
    readonly weights: readonly (readonly number[])[];
  }[];
}

const folder = new URL('../fixtures/goldens/sgs/', import.meta.url);

describe('reference equals the official SGS code', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

  it('there are goldens', () => {
    expect(files.length).toBeGreaterThan(0);
  });

  for (const file of files) {
    const golden = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Golden;

    it.each(golden.cases)(`${file}: $kernel, $distance`, (wanted) => {
      const { kernel, distance, bins, input_length: length, size } = wanted;
      const data = Float32Array.from(wanted.embeddings.flat());

      const plan = planSampling({ length, size, data }, { kind: 'reference', kernel, distance, bins });

      expect(plan.outputLength).toBe(wanted.output_length);
      const difference = wanted.weights
        .flat()
        .map((weight, i) => Math.abs(weight - (plan.weights[i] ?? Number.NaN)));
      expect(Math.max(...difference)).toBeLessThanOrEqual(golden.atol);
    });
  }
});
