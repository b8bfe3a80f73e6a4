import { describe, expect, it } from 'vitest';
import { runIdOf } from '../../src/events/index.ts';

const identity = {
  recording: 'ab'.repeat(32),
  streamId: 'dock-3',
  settings: { window: { stride: 8, fps: 15 }, labels: ['fall', 'wave'], allow: undefined },
};

describe('the run id of a file', () => {
  it('is this one for this input, on every machine and in every version', () => {
    expect(runIdOf(identity)).toBe('91742b80-45d8-51ab-8570-4431e3455b4f');
  });

  it('does not depend on the order of keys, nor on keys without a value', () => {
    const settings = { labels: ['fall', 'wave'], window: { fps: 15, stride: 8 } };

    expect(runIdOf({ ...identity, settings })).toBe(runIdOf(identity));
  });

  it.each([
    ['recording', { ...identity, recording: 'cd'.repeat(32) }],
    ['stream', { ...identity, streamId: 'dock-4' }],
    ['setting', { ...identity, settings: { ...identity.settings, window: { stride: 4, fps: 15 } } }],
    ['order of labels', { ...identity, settings: { ...identity.settings, labels: ['wave', 'fall'] } }],
  ])('another %s has another one', (_, other) => {
    expect(runIdOf(other)).not.toBe(runIdOf(identity));
  });
});
