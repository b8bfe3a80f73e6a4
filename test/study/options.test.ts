import { describe, expect, test } from 'vitest';
import { modelCases, samplerName, studyCases } from '../../tools/study/cases.ts';
import { readOptions } from '../../tools/study/options.ts';

describe('what the study is asked', () => {
  test('all phases where none is named; what follows -- is for training', () => {
    const options = readOptions(['--seeds', '1,2', '--', '--steps', '10']);

    expect([...options.phases]).toEqual(['train', 'time', 'predict', 'report']);
    expect(options).toMatchObject({ name: 'study', seeds: [1, 2], training: ['--steps', '10'] });
  });

  test('a model is studied under its own name', () => {
    expect(readOptions(['report', '--model', 'models/mine/']).name).toBe('study-mine');
  });

  test.each([[['paint']], [['--seeds', '0']], [['--rounds', 'x']]])(
    '%j is refused with the usage',
    (args) => {
      expect(() => readOptions(args)).toThrow('npm run study');
    },
  );
});

describe('cases', () => {
  const key = ({ series, sampler, order, seed }: ReturnType<typeof studyCases>[number]): string =>
    [series, samplerName(sampler), order, seed].join();

  test('no way of running is asked twice', () => {
    const study = studyCases('models', 1).map(key);
    const sgs = {
      after: 'Conv_2b',
      embedding: { kind: 'learned', size: 8 },
      boundary: 'nearest_complete',
    } as const;
    const own = (width: number) => modelCases('m', sgs, { kind: 'ordered', width, distance: 'l2' }).map(key);

    expect(new Set(study).size).toBe(study.length);
    expect(new Set(own(0.6)).size).toBe(own(0.6).length);
    expect(own(1.2)).toHaveLength(own(0.6).length + 1);
  });

  test('SGS that nobody trained has no weights; trained SGS runs on its own embedding', () => {
    for (const { series, sgs } of studyCases('models', 1)) {
      if (series.startsWith('untrained SGS')) expect(sgs?.embedding.kind).toBe('pooled');
      if (series.startsWith('trained SGS')) expect(sgs).toBeUndefined();
    }
  });
});
