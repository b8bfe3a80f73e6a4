import { describe, expect, test } from 'vitest';
import { labelMap, labelMapNames } from '../../src/labels/label-maps.ts';

describe('label maps', () => {
  test.each([
    ['kinetics400', 400, { 0: 'abseiling', 338: 'sweeping floor', 399: 'zumba' }],
    ['kinetics600', 600, { 0: 'abseiling', 1: 'acting in play', 599: 'zumba' }],
    ['kinetics700', 700, { 0: 'abseiling', 1: 'acting in play', 699: 'zumba' }],
    ['minikinetics200', 200, { 0: 'abseiling', 50: 'eating burger', 150: 'side kick', 199: 'zumba' }],
    ['ucf101', 101, { 0: 'ApplyEyeMakeup', 35: 'HammerThrow', 100: 'YoYo' }],
    ['hmdb51', 51, { 0: 'brush_hair', 18: 'hug', 50: 'wave' }],
    ['ssv2', 174, { 0: 'Approaching something with your camera', 173: 'Wiping something off of something' }],
  ] as const)('%s has %i distinct labels at their published indices', (name, size, known) => {
    const labels = labelMap(name);

    expect(new Set(labels).size).toBe(size);
    expect(labels).toHaveLength(size);
    for (const [index, label] of Object.entries(known)) expect(labels[Number(index)]).toBe(label);
  });

  test.each(['kinetics400', 'kinetics600', 'kinetics700', 'minikinetics200', 'hmdb51', 'ssv2'])(
    '%s is in alphabetical order, as its networks are trained',
    (name) => {
      expect(labelMap(name)).toEqual([...labelMap(name)].sort());
    },
  );

  test('an edition of Kinetics has its own labels only', () => {
    expect(labelMap('kinetics400')).toContain('dying hair');
    expect(labelMap('kinetics600')).not.toContain('dying hair');
    expect(labelMap('kinetics400')).toEqual(expect.arrayContaining([...labelMap('minikinetics200')]));
    expect(labelMap('minikinetics200')).not.toContain('applauding');
  });

  test('an unknown name is refused with the names that exist', () => {
    expect(() => labelMap('kinetics500')).toThrow(
      `no label map "kinetics500"; known: ${labelMapNames.join(', ')}`,
    );
  });
});
