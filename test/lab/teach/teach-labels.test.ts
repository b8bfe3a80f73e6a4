import { expect, test } from 'vitest';
import { chooseThreshold } from '../../../src/lab/teach/choose-threshold.ts';
import { foldsOf } from '../../../src/lab/teach/folds.ts';
import { headFigures } from '../../../src/lab/teach/head-figures.ts';
import { labelsOf, teachLabels } from '../../../src/lab/teach/teach-labels.ts';
import type { Example } from '../../../src/lab/teach/types.ts';
import { weakPoints } from '../../../src/lab/teach/weak-points.ts';

/** Two features under two samplers: the first shows the label, the second the camera. */
function example(camera: number, labels: readonly string[], dataset = 'site'): Example {
  const shown = labels.includes('wave') ? 1 : labels.includes('jump') ? -1 : 0;
  const window = [shown + 0.01 * camera, camera];
  return {
    ...{ dataset, labels, group: JSON.stringify([dataset, `cam-${camera}`]) },
    features: {
      ...{ samplers: 2, windows: 1, size: 2, kept: [1, 0.5] },
      data: Float32Array.from([...window, ...window]),
    },
  };
}

const cameras = [0, 1, 2, 3, 4, 5];
const SAMPLERS = [{ kind: 'none' }, { kind: 'uniform', stride: 2 }] as const;

test('labels are told apart on cameras that their heads never saw', () => {
  const examples = cameras.flatMap((camera) => [
    ...[example(camera, ['wave']), example(camera, ['jump']), example(camera, [])],
  ]);

  const labels = labelsOf(examples);
  const taught = teachLabels(examples, labels);
  const figures = headFigures(examples, taught, SAMPLERS);

  expect(labels).toEqual(['background', 'wave', 'jump']);
  expect(figures.cross_validation).toMatchObject({ auc: 1, accuracy: 1 });
  expect(figures.samplers.map(({ kept_ratio }) => kept_ratio)).toEqual([1, 0.5]);
  expect(figures.confusion).toEqual({ background: { background: 6 }, wave: { wave: 6 }, jump: { jump: 6 } });
  expect(weakPoints(taught, figures.label_figures)).toEqual([]);
});

test('of clips of a data set without the label nothing is assumed', () => {
  const examples = [
    ...cameras.flatMap((camera) => [example(camera, ['wave']), example(camera, [])]),
    // These look as if they waved.
    ...cameras.flatMap((camera) => [
      { ...example(camera, ['wave'], 'other'), labels: ['nod'] },
      { ...example(camera, [], 'other'), labels: ['jump'] },
    ]),
  ];

  const [, wave] = teachLabels(examples, labelsOf(examples));

  expect(wave).toMatchObject({ label: 'wave' });
  expect(new Set(wave!.outcomes.map(({ example: { dataset } }) => dataset))).toEqual(new Set(['site']));
});

test('what one camera alone shows is not measured, and is said to be doubtful', () => {
  const examples = [
    ...cameras.map((camera) => example(camera, [])),
    ...[1, 2, 3].map(() => example(3, ['wave'])),
  ];

  const taught = teachLabels(examples, labelsOf(examples));
  const { label_figures } = headFigures(examples, taught, SAMPLERS);

  const wave = taught.find(({ label }) => label === 'wave');
  expect(wave!.outcomes.filter(({ example: { group } }) => group.includes('cam-3'))[0]).not.toHaveProperty(
    'scores',
  );
  expect(label_figures['wave']).not.toHaveProperty('auc');
  expect(weakPoints(taught, label_figures)).toEqual([
    'wave: only the group cam-3 shows it, so nothing says how it does on other cameras; add clips of others',
    'wave: of 3 clips only 1 have a counterpart of the other kind in their group: the place may act as the label',
    'wave: cross-validation cannot measure it, and its threshold is a guess',
  ]);
});

test('no group is in two folds, and the order of the items does not matter', () => {
  const items = Array.from({ length: 90 }, (_, i) => ({ group: `g${i % 23}`, id: i }));

  const folds = foldsOf(items);
  const reversed = foldsOf(items.toReversed()).toReversed();

  expect(reversed).toEqual(folds);
  const seen = new Map<string, number>();
  items.forEach(({ group }, i) => {
    expect(seen.get(group) ?? folds[i]).toBe(folds[i]);
    seen.set(group, folds[i]!);
  });
  expect(new Set(folds).size).toBe(10);
});

test.each([
  ['apart', [0.9, 0.8, 0.7], [0.3, 0.2, 0.1], 0.5],
  ['low', [0.4, 0.3, 0.25], [0.1, 0.05, 0.02], 0.25],
  ['of one kind', [0.9], [], 0.5],
] as const)('the threshold of scores that lie %s', (_, positives, negatives, wanted) => {
  const judged = [
    ...positives.map((score) => ({ score, positive: true })),
    ...negatives.map((score) => ({ score, positive: false })),
  ];

  expect(chooseThreshold(judged)).toBeCloseTo(wanted, 9);
});
