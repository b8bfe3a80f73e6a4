import { describe, expect, test } from 'vitest';
import { resolveTask } from '../../../src/lab/evaluation/resolve-task.ts';
import { taskOf } from '../../../src/lab/evaluation/tasks.ts';

const MODEL = {
  labels: ['background', 'fight', 'handshake', 'hug', 'kick', 'point', 'punch', 'push', 'sit_down', 'fall'],
  backgroundId: 0,
};

describe('tasks', () => {
  test.each([
    ['fight-surv', ['fight'], [1]],
    ['fight-surv', ['no_fight'], []],
    ['fight-surv', ['parade'], undefined],
    ['ut-interaction', ['hug'], [3]],
    ['ut-interaction', ['none'], undefined],
    ['fir-action', ['falling'], [9]],
    ['fir-action', ['sitdown'], [8]],
    ['fir-action', ['sleeping'], []],
    ['cctv', ['conveyor'], []],
    ['of their own', ['Sit Down'], [8]],
    ['of their own', ['falling'], [9]],
    ['of their own', ['unheard of'], undefined],
    ['of their own', ['background'], undefined],
  ] as const)('%s: the model knows %j as %j', (dataset, labels, truth) => {
    expect(resolveTask(taskOf(dataset), MODEL).truthOf(labels)).toEqual(truth);
  });

  test('interactions are chosen among the six alone, others among all but the background', () => {
    expect(resolveTask(taskOf('ut-interaction'), MODEL).candidates).toEqual([2, 3, 4, 5, 6, 7]);
    expect(resolveTask(taskOf('of their own'), MODEL).candidates).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('the first candidate of an event task is its headline', () => {
    expect(resolveTask(taskOf('fir-action'), MODEL).candidates).toEqual([9, 8]);
  });

  test('a model without the labels has no candidate', () => {
    const kinetics = { labels: ['abseiling', 'zumba'] };

    expect(resolveTask(taskOf('fight-surv'), kinetics).candidates).toEqual([]);
    expect(resolveTask(taskOf('ut-interaction'), kinetics).candidates).toEqual([]);
  });

  test('a background that the model does not name is none', () => {
    expect(resolveTask(taskOf('of their own'), { labels: ['a', 'b'] }).candidates).toEqual([0, 1]);
  });
});
