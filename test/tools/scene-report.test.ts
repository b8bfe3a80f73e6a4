import { describe, expect, test } from 'vitest';
import { addUp, compareScene, meanErrors } from '../../tools/scene-report/compare.ts';
import type { ActionEvent } from '../../src/core/records.ts';
import type { SceneTruth } from '../../tools/scene/truth.ts';

describe('scene report', () => {
  test('an episode is compared with the action that it meets, by the name the model has for it', () => {
    const truth = sceneOf(['falling', 10, 11.5], ['fallen', 11.5, 14], ['fight', 20, 24]);

    const [fall, fight] = compareScene(truth, [episode('fall', 10.4, 11.2), episode('fight', 3, 4)]);

    expect(fall).toMatchObject({ label: 'fall', actions: 1, falseAlarms: 0, repeats: 0 });
    expect(fall!.found[0]!.onsetS).toBeCloseTo(0.4);
    expect(fall!.found[0]!.offsetS).toBeCloseTo(-0.3);
    expect(fight).toEqual({ label: 'fight', actions: 1, found: [], falseAlarms: 1, repeats: 0 });
  });

  test('people who do the same at the same time are one action; who do it later, another', () => {
    const truth = sceneOf(['walk', 1, 4], ['walk', 2, 5], ['walk', 9, 11]);

    const [walk] = compareScene(truth, [
      episode('walk', 1, 5),
      episode('walk', 9, 10),
      episode('walk', 10.5, 11),
    ]);

    expect(walk).toMatchObject({ actions: 2, repeats: 1 });
    expect(walk!.found).toEqual([
      { onsetS: 0, offsetS: 0 },
      { onsetS: 0, offsetS: -1 },
    ]);
  });

  test('a label that was reported and never done is a false alarm', () => {
    expect(compareScene(sceneOf(['walk', 1, 4]), [episode('push', 2, 3)])).toMatchObject([
      { label: 'walk', actions: 1, found: [] },
      { label: 'push', actions: 0, falseAlarms: 1 },
    ]);
  });

  test('errors are mean distances over all scenes: early and late do not cancel', () => {
    const early = compareScene(sceneOf(['fight', 10, 14]), [episode('fight', 9, 14.5)]);
    const late = compareScene(sceneOf(['fight', 10, 14]), [episode('fight', 12, 13.5)]);

    const all = addUp([...early, ...late]);

    expect(all).toHaveLength(1);
    expect(meanErrors(all)).toEqual({ onsetS: 1.5, offsetS: 0.5 });
  });
});

function sceneOf(
  ...actions: readonly (readonly [SceneTruth['actions'][number]['label'], number, number])[]
): SceneTruth {
  return {
    ...{
      seed: 1,
      view: 'hall',
      width: 160,
      height: 120,
      fps: 15,
      duration_s: 30,
      lamp_switches: [],
      boxes: [],
    },
    actions: actions.map(([label, start_s, end_s]) => ({ label, start_s, end_s, figures: [0] })),
  };
}

/** What the comparison reads of an `ended` event. */
function episode(label: string, startS: number, endS: number): ActionEvent {
  const at = (seconds: number): string => new Date(seconds * 1000).toISOString();
  return { label, state: 'ended', started_at: at(startS), ended_at: at(endS) } as ActionEvent;
}
