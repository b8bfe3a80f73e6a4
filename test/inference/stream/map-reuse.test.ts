import { beforeEach, describe, expect, test } from 'vitest';
import type { StreamPlace } from '../../../src/inference/engine.ts';
import { buildNetwork } from '../../../src/inference/network/build.ts';
import type { SgsOptions } from '../../../src/inference/network/graph.ts';
import { createMapReuse, type MapReuse } from '../../../src/inference/stream/map-reuse.ts';
import { planSampling, type Embeddings, type SamplerOptions } from '../../../src/sampler/index.ts';

/** 8 steps of 2 frames; each sees 2 frames before its own and none behind. */
const STEPS = 8;
const network = networkWith({ after: 'Conv_2b', boundary: 'nearest_complete' });
const STREAM: SamplerOptions = { kind: 'ordered', width: 1, distance: 'l2', anchor: 'stream' };

let maps: MapReuse;
/** Which clip's logits each clip got: its own number where it began its own bins. */
let clips: number;
beforeEach(() => {
  maps = createMapReuse(network, { jump: 2 });
  clips = 0;
});

describe('a clip keeps the map of an earlier one', () => {
  test('while all steps since lie in one bin and the clips overlap: then the map is made anew', () => {
    const still = Array.from({ length: 40 }, () => 5);

    const got = [0, 2, 4, 6, 8, 10, 12].map((first) => infer(still, first));

    expect(got).toEqual([0, 0, 0, 0, 4, 4, 4]);
  });

  test('until the way since the bin began reaches δ, which the old steps of the clip still count', () => {
    const drift = Array.from({ length: 40 }, (_, step) => 0.09 * step);

    // Step 1 stands for step 0 in a segment's first clip; 0.09 · (11 − 1) < 1 ≤ 0.09 · (13 − 1).
    expect([0, 2, 4, 6].map((first) => infer(drift, first))).toEqual([0, 0, 0, 3]);
  });

  test('never where a clip keeps more than one step, and again once it is still', () => {
    const jump = Array.from({ length: 40 }, (_, step) => (step < 12 ? 0 : 7));

    // Clips that begin with steps 5 to 11 show the jump.
    expect([0, 2, 4, 6, 8, 10, 12, 14].map((first) => infer(jump, first))).toEqual([0, 0, 0, 3, 4, 5, 6, 6]);
  });

  test('where clips between were dropped but every step was seen; not across a gap or back in time', () => {
    const still = Array.from({ length: 60 }, () => 5);

    expect([0, 6, 20, 18, 19].map((first) => infer(still, first))).toEqual([0, 0, 2, 3, 3]);
  });

  test('not in another segment, with a raised δ, after closing or of another stream', () => {
    const still = Array.from({ length: 40 }, () => 5);
    const raised: SamplerOptions = { ...STREAM, width: 1.2 };

    expect(infer(still, 0)).toBe(0);
    expect(infer(still, 2, { segment: 1 })).toBe(1);
    expect(infer(still, 2, { id: 'b' })).toBe(2);
    expect(infer(still, 4, { segment: 1, sampler: raised })).toBe(3);
    expect(infer(still, 6, { segment: 1, sampler: raised })).toBe(3);
    maps.close('a');
    expect(infer(still, 8, { segment: 1, sampler: raised })).toBe(5);
    expect(infer(still, 4, { id: 'b' })).toBe(2);
  });

  test('tried twice, a clip gets the same', () => {
    const still = Array.from({ length: 40 }, () => 5);

    expect([0, 2, 2, 4, 4].map((first) => infer(still, first))).toEqual([0, 0, 0, 0, 0]);
  });

  test.each([
    ['bins that begin with the clip', { ...STREAM, anchor: 'clip' } as const],
    ['a sampler without bins of absolute width', { kind: 'uniform', stride: 8 } as const],
  ])('never with %s', (_, sampler) => {
    const still = Array.from({ length: 40 }, () => 5);

    expect([0, 2, 4].map((first) => infer(still, first, { sampler }))).toEqual([0, 1, 2]);
  });

  test('never where steps that see padding are compared as they are', () => {
    maps = createMapReuse(networkWith({ after: 'Conv_2b', boundary: 'as_is' }), { jump: 2 });
    const still = Array.from({ length: 40 }, () => 5);

    expect([0, 2, 4].map((first) => infer(still, first))).toEqual([0, 1, 2]);
  });
});

/** What an engine does with a clip, whose logits are its number. @returns the number it got */
function infer(
  values: readonly number[],
  first: number,
  {
    id = 'a',
    segment = 0,
    sampler = STREAM,
  }: { readonly id?: string; readonly segment?: number; readonly sampler?: SamplerOptions } = {},
): number {
  const number = clips++;
  const place: StreamPlace = { id, segment, firstFrame: 2 * first, before: new Uint8Array() };
  const seen = values.slice(first, first + STEPS);
  const known = maps.find(place, embeddingsOf(seen), sampler);
  if (known) return known.logits[0]!;
  const settled = embeddingsOf([seen[1]!, ...seen.slice(1)]);
  const plan = planSampling(settled, sampler);
  maps.keep(place, settled, sampler, { plan, logits: Float32Array.of(number) });
  return number;
}

function embeddingsOf(values: readonly number[]): Embeddings {
  return { length: values.length, size: 1, data: Float32Array.from(values) };
}

function networkWith(sgs: Pick<SgsOptions, 'after' | 'boundary'>) {
  return buildNetwork({
    ...{ variant: 's3d-g', frames: 16, height: 16, width: 16, classes: 1, widthMultiplier: 0.07 },
    ...{ stem: 'dense', input: { kind: 'motion' } },
    sgs: { embedding: { kind: 'pooled', grid: 1 }, ...sgs },
  });
}
