import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { casesOf, type AblationCase } from '../../tools/ablation/cases.ts';
import { figuresOf, keyOf } from '../../tools/ablation/figures.ts';
import { appendScored, readScored, type ScoredVideo } from '../../tools/ablation/store.ts';
import type { ScoredRun } from '../../src/lab/evaluation/agreement.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CASES = casesOf({ widths: { grid: [1], global: [] }, minSteps: [1] }).filter(
  ({ network, name }) => ['dense', 'uniform 2', 'grid, middle, δ 1'].includes(name) && network === 'edges',
);

describe('figures of the ablation', () => {
  test('weigh videos by their windows, and set a case beside even strides at its own cost', () => {
    // Two windows that agree, and one whose only decision differs with even strides.
    const videos = [
      video('a.mp4', { count: 2, strides: 0.9, grid: 0.9 }),
      video('b.mp4', { count: 1, strides: 0.1, grid: 0.9 }),
    ];

    const rows = figuresOf(CASES, videos, [0.5, 0.5]);

    const [dense, uniform, grid] = rows;
    expect(rows.map(({ windows }) => windows)).toEqual([3, 3, 3]);
    expect(dense?.figures.same.value).toBe(1);
    expect(uniform?.figures.same.value).toBeCloseTo(2 / 3, 12);
    expect(uniform?.figures.decisions.value).toBeCloseTo(5 / 6, 12);
    expect(uniform?.figures.same.from).toBe(0);
    // Between strides at 0.6 (2/3 the same) and dense at 1 (all the same), a cost of 0.8 is half-way.
    expect(grid?.above_uniform?.same.value).toBeCloseTo(1 - 5 / 6, 12);
    expect(uniform?.above_uniform).toBeUndefined();
  });

  test('windows are kept, and a line that was cut short is scored again', async () => {
    const file = path.join(await temporaryDirectory(), 'scored.jsonl');
    const one = video('a.mp4', { count: 1, strides: 0.9, grid: 0.9 });
    await appendScored(file, video('a.mp4', { count: 2, strides: 0.1, grid: 0.1 }));
    await appendScored(file, one);
    await writeFile(file, '{"video":"b.mp4","blo', { flag: 'a' });

    expect([...(await readScored(file))]).toEqual([['a.mp4', one]]);
    expect(await readScored(`${file}.absent`)).toEqual(new Map());
  });
});

function video(
  name: string,
  { count, strides, grid }: { readonly count: number; readonly strides: number; readonly grid: number },
): ScoredVideo {
  const windows = Array.from({ length: count }, (_, n) => n);
  const runs = (one: AblationCase): ScoredRun[] => {
    const { kind } = one.sampler;
    const [score, cost] = {
      none: [0.9, 100],
      uniform: [strides, 60],
      ordered: [grid, 80],
      reference: [0, 0],
    }[kind] as [number, number];
    return windows.map(() => run(score, cost));
  };
  return {
    video: name,
    blocks: windows.map((n) => `${name} ${n}`),
    dense: windows.map(() => run(0.9, 100)),
    cases: Object.fromEntries(CASES.map((one) => [keyOf(one), runs(one)])),
  };
}

function run(score: number, multiplyAdds: number): ScoredRun {
  const scores = [score, 0.1];
  const logits = scores.map((value) => Math.log(value / (1 - value)));
  return { scores, logits, keptSteps: 6, inputSteps: 12, multiplyAdds, ms: 1 };
}
