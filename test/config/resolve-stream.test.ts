import { describe, expect, it } from 'vitest';
import { resolveStream } from '../../src/config/index.ts';
import { load } from './files.ts';

const model = { frames: 32, width: 112, height: 112, clip: { fps: 12.5, stride: 8 } };

function resolved(settings: string, more: Partial<Parameters<typeof resolveStream>[1]> = {}) {
  const stream = load(`streams: [{ id: a, url: a.mp4 }]\n${settings}`).streams[0];
  if (!stream) throw new Error('the configuration has a stream');
  return resolveStream(stream, { ...model, ...more }, '/usr/bin/ffmpeg');
}

describe('what the model adds to a stream', () => {
  it('gives size, clip length, and rate and stride where not set', () => {
    const { options, episodes } = resolved('');

    expect(options).toMatchObject({
      streamId: 'a',
      width: 112,
      height: 112,
      window: { frames: 32, stride: 8, fps: 12.5, tail: 'pad' },
      ffmpegPath: '/usr/bin/ffmpeg',
    });
    expect(episodes.strideMs).toBe(640);
  });

  it('gives way to settings', () => {
    const { options, episodes } = resolved('defaults: { window: { stride: 5, fps: 10 } }');

    expect(options.window).toMatchObject({ stride: 5, fps: 10 });
    expect(episodes.strideMs).toBe(500);
  });

  it('gives how frames are fitted, unless a setting does; else they are stretched', () => {
    const frameFit = { fit: 'crop', scale: 1.25 } as const;

    expect(resolved('', { frameFit }).options).toMatchObject(frameFit);
    expect(resolved('defaults: { fit: stretch }', { frameFit }).options).toMatchObject({
      ...frameFit,
      fit: 'stretch',
    });
    expect(resolved('').options.fit).toBe('stretch');
  });

  it.each<[string, string, object | undefined]>([
    ['nothing said', '', undefined],
    ['a site for all', 'defaults: { site: Kiel }', { site: 'Kiel' }],
  ])('%s: what settings say of a stream', (_, settings, about) => {
    expect(resolved(settings).about).toEqual(about);
  });

  it('a stream’s own site comes before that of all, and a tag counts once', () => {
    const stream = load(`
defaults: { site: Kiel }
streams: [{ id: a, url: a.mp4, name: Dock 3, site: Bremen, tags: [dock, 'night:1', dock], location: north }]
`).streams[0];

    const about = { name: 'Dock 3', site: 'Bremen', tags: ['dock', 'night:1'], location: 'north' };
    expect(stream).toMatchObject({ about });
    expect(stream).not.toHaveProperty('site');
    expect(resolveStream(stream!, model, 'ffmpeg').options).not.toHaveProperty('about');
  });

  it('takes zones and masks as corners', () => {
    const stream = load(`
streams:
  - id: a
    url: a.mp4
    zones: [{ name: door, kind: include, points: [[0, 0], [0.5, 0], [0.5, 1]] }]
    masks: [[[0.9, 0], [1, 0], [1, 0.1]]]
`).streams[0];

    expect(resolveStream(stream!, model, 'ffmpeg').options).toMatchObject({
      zones: [
        {
          name: 'door',
          kind: 'include',
          points: [
            { x: 0, y: 0 },
            { x: 0.5, y: 0 },
            { x: 0.5, y: 1 },
          ],
        },
      ],
      masks: [
        [
          { x: 0.9, y: 0 },
          { x: 1, y: 0 },
          { x: 1, y: 0.1 },
        ],
      ],
    });
  });

  const thresholds = { fall: { on: 0.35, off: 0.2 } };
  it.each<[string, string, object, [number, number], [number, number] | undefined]>([
    ['nothing set: 0.6, off 0.2 below', '', {}, [0.6, 0.4], undefined],
    ['nothing set: the model’s own for its labels', '', { thresholds }, [0.6, 0.4], [0.35, 0.2]],
    ['on set: off follows it', 'events: { on: 0.5 }', {}, [0.5, 0.3], undefined],
    ['a low on: off stays at 0 or more', 'events: { on: 0.1 }', {}, [0.1, 0], undefined],
    ['off set above the default on: on follows it', 'events: { off: 0.8 }', {}, [0.8, 0.8], undefined],
    [
      'set for all: before the model’s own',
      'events: { on: 0.9, off: 0.1 }',
      { thresholds },
      [0.9, 0.1],
      [0.9, 0.1],
    ],
    [
      'set for a label: before all',
      'events: { on: 0.9, labels: { fall: { on: 0.5 } } }',
      { thresholds },
      [0.9, 0.7],
      [0.5, 0.3],
    ],
  ])('thresholds, %s', (_, settings, more, all, fall) => {
    const { episodes } = resolved(settings, more);

    expect([episodes.defaultPolicy.on, episodes.defaultPolicy.off]).toEqual(all);
    const policy = episodes.policies['fall'];
    expect(policy && [policy.on, policy.off]).toEqual(fall);
  });
});
