import { map, type Observable } from 'rxjs';
import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';

import type { Clip, Frame } from '../../src/core/frame.ts';
import { windowClips } from '../../src/ingest/window-clips.ts';
import type { WindowOptions } from '../../src/ingest/types.ts';
import { frameAt } from '../support/frames.ts';

/** a–i: frames 0–8 of segment 0; v–z: frames 3–7 of segment 1. */
const FRAMES: Readonly<Record<string, Frame>> = Object.fromEntries([
  ...Array.from('abcdefghi').map((letter, index) => [letter, frameAt(index)] as const),
  ...Array.from('vwxyz').map((letter, slot) => [letter, frameAt(slot + 3, { segment: 1, slot })] as const),
]);

const letterOf = (frame: Frame): string =>
  Object.keys(FRAMES).find((letter) => FRAMES[letter] === frame) ?? '?';

function marbles(test: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected);
  }).run(test);
}

function windows(source: Observable<Frame>, options: Partial<WindowOptions>): Observable<string> {
  return source.pipe(
    windowClips({ frames: 3, stride: 3, fps: 10, tail: 'drop', ...options }),
    map(({ frames }) => frames.map(letterOf).join('')),
  );
}

function clipsOf(letters: string, options: Partial<WindowOptions>): Clip[] {
  const clips: Clip[] = [];
  marbles(({ cold }) => {
    cold(`(${letters}|)`, FRAMES)
      .pipe(windowClips({ frames: 3, stride: 3, fps: 10, tail: 'drop', ...options }))
      .subscribe((clip) => clips.push(clip));
  });
  return clips;
}

describe('windowClips', () => {
  it('emits a clip with its last frame, and completes with the source', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-b-c-d-e-f-|', FRAMES);
      const subscription = ' ^------------!';
      const expected = '     -----1-----2-|';

      expectObservable(windows(source, {})).toBe(expected, { 1: 'abc', 2: 'def' });
      expectSubscriptions(source.subscriptions).toBe(subscription);
    });
  });

  it('overlaps clips where the stride is shorter than the clip', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('abcdef|', FRAMES);

      expectObservable(windows(source, { stride: 1 })).toBe('--1234|', {
        1: 'abc',
        2: 'bcd',
        3: 'cde',
        4: 'def',
      });
    });
  });

  it('passes over the frames between clips where the stride is longer', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('abcdefghi|', FRAMES);

      expectObservable(windows(source, { frames: 2, stride: 4 })).toBe('-1---2---|', { 1: 'ab', 2: 'ef' });
    });
  });

  it('drops, pads or shortens what is left at the end', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(windows(cold('abcde|', FRAMES), { tail: 'drop' })).toBe('--1--|', { 1: 'abc' });
      expectObservable(windows(cold('abcde|', FRAMES), { tail: 'pad' })).toBe('--1--(2|)', {
        1: 'abc',
        2: 'dee',
      });
      expectObservable(windows(cold('abcde|', FRAMES), { tail: 'short' })).toBe('--1--(2|)', {
        1: 'abc',
        2: 'de',
      });
    });
  });

  it('makes no tail of frames that an earlier clip holds', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('abcde|', FRAMES);

      expectObservable(windows(source, { stride: 2, tail: 'pad' })).toBe('--1-2|', { 1: 'abc', 2: 'cde' });
    });
  });

  it('ends an overlapping stream with one tail that holds every frame left', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('abcdef|', FRAMES);

      expectObservable(windows(source, { stride: 2, tail: 'short' })).toBe('--1-2-(3|)', {
        1: 'abc',
        2: 'cde',
        3: 'ef',
      });
    });
  });

  it('makes no tail of the frames between two windows', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('abcd|', FRAMES);

      expectObservable(windows(source, { frames: 2, stride: 4, tail: 'pad' })).toBe('-1--|', { 1: 'ab' });
    });
  });

  it('never lets a clip span a discontinuity, and treats the old segment as ended', () => {
    marbles(({ cold, expectObservable }) => {
      const source = (): Observable<Frame> => cold('abvwxyz|', FRAMES);

      expectObservable(windows(source(), { tail: 'drop' })).toBe('----1--|', { 1: 'vwx' });
      expectObservable(windows(source(), { tail: 'short' })).toBe('--1-2--(3|)', {
        1: 'ab',
        2: 'vwx',
        3: 'yz',
      });
    });
  });

  it('starts windows anew with a segment, also while it passes over frames', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('abvwxyz|', FRAMES);

      expectObservable(windows(source, { frames: 2, stride: 5 })).toBe('-1-2---|', { 1: 'ab', 2: 'vw' });
    });
  });

  it('passes an error at once and gives up the unfinished window', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('abcd#', FRAMES, new Error('lost'));

      expectObservable(windows(source, { tail: 'pad' })).toBe('--1-#', { 1: 'abc' }, new Error('lost'));
    });
  });

  it('unsubscribes from the source when it is unsubscribed', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('-a-b-c-d-e-', FRAMES);

      expectObservable(windows(source, {}), '^-----!').toBe('-----1-', { 1: 'abc' });
      expectSubscriptions(source.subscriptions).toBe('^-----!');
    });
  });

  it('makes nothing of nothing', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(windows(cold('---|', FRAMES), { tail: 'pad' })).toBe('---|');
    });
  });

  it('brings the frames before a clip along, of its own segment only', () => {
    const clips = clipsOf('abcdefghvwxyz', { stride: 2, context: 3 });

    const before = clips.map(({ context, framesBefore }) => [context.map(letterOf).join(''), framesBefore]);
    expect(before).toEqual([
      ['', 0],
      ['ab', 2],
      ['bcd', 4],
      ['', 0],
      ['vw', 2],
    ]);
    const [, apart] = clipsOf('abcdefghi', { frames: 2, stride: 5, context: 2 });
    expect(apart?.context.map(letterOf).join('')).toBe('de');
  });

  it('gives ids, sequence and half-open times', () => {
    const [first, second] = clipsOf('abcdefg', { stride: 2 });

    expect(first).toMatchObject({
      clipId: 'cam/0/0',
      sequence: 0,
      startIndex: 0,
      startUs: 0,
      endUs: 300_000,
    });
    expect(second).toMatchObject({
      clipId: 'cam/0/2',
      sequence: 1,
      startUs: 200_000,
      startedAtMs: 200,
      endedAtMs: 500,
    });
  });

  it('counts the sequence on over segments and ends a padded clip where its real frames end', () => {
    const clips = clipsOf('abcvw', { tail: 'pad' });

    expect(clips.map(({ clipId, sequence }) => [clipId, sequence])).toEqual([
      ['cam/0/0', 0],
      ['cam/1/3', 1],
    ]);
    expect(clips[1]).toMatchObject({ paddedFrames: 1, startUs: 0, endUs: 200_000 });
    expect(clips[1]?.frames).toHaveLength(3);
  });

  it('ends a clip exactly where the next begins, at frame rates that divide no second', () => {
    for (const fps of [7, 12, 23.976, 29.97]) {
      const clips: Clip[] = [];
      marbles(({ cold }) => {
        const frames = Object.fromEntries(
          Array.from('abcdefgh').map((letter, slot) => [letter, frameAt(slot, { fps })]),
        );
        cold('(abcdefgh|)', frames)
          .pipe(windowClips({ frames: 2, stride: 2, fps, tail: 'drop' }))
          .subscribe((clip) => clips.push(clip));
      });

      expect(clips.slice(0, -1).map(({ endUs }) => endUs)).toEqual(
        clips.slice(1).map(({ startUs }) => startUs),
      );
    }
  });
});
