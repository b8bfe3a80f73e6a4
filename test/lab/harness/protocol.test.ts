import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutWindow, sizeForViews, viewsOf } from '../../../src/lab/harness/views.ts';
import { spreadWindows } from '../../../src/lab/harness/windows.ts';
import type { Frame } from '../../../src/core/frame.ts';
import { clipsOfFrames } from '../../../src/ingest/index.ts';
import { frameAt } from '../../support/frames.ts';

describe('windows of run in a short clip', () => {
  test.each([
    [7, [[0, 3]]],
    [10, [[0, 0]]],
    [
      14,
      [
        [0, 0],
        [4, 0],
      ],
    ],
    [
      15,
      [
        [0, 0],
        [4, 0],
        [8, 3],
      ],
    ],
  ])('%i frames, 10 a window, one every 4: first frame and padding %j', (available, windows) => {
    const frames = Array.from({ length: available }, (_, index) => frameAt(index));

    const clips = clipsOfFrames(frames, { frames: 10, stride: 4, fps: 10, tail: 'pad', context: 2 });

    expect(clips.map(({ framesBefore, paddedFrames }) => [framesBefore, paddedFrames])).toEqual(windows);
    for (const clip of clips) {
      const { framesBefore: first, paddedFrames, context } = clip;
      expect(clip.frames.slice(0, 10 - paddedFrames)).toEqual(frames.slice(first, first + 10));
      expect(context).toEqual(frames.slice(Math.max(0, first - 2), first));
    }
  });
});

describe('windows spread over a clip', () => {
  const clips = fc.record({
    available: fc.integer({ min: 1, max: 400 }),
    frames: fc.integer({ min: 2, max: 64 }),
  });

  test('together show every frame, and none of them leaves the clip', () => {
    fc.assert(
      fc.property(clips, ({ available, frames }) => {
        const starts = spreadWindows(available, frames);

        expect(starts[0]).toBeGreaterThanOrEqual(0);
        for (const [index, start] of starts.entries()) {
          if (available >= frames) expect(start + frames).toBeLessThanOrEqual(available);
          if (index > 0) expect(start - starts[index - 1]!).toBeLessThanOrEqual(frames);
        }
        // A single window lies in the middle: what is left on either side is less than a quarter of it.
        const before = starts[0]!;
        const after = Math.max(0, available - frames - starts.at(-1)!);
        expect(Math.max(before, after)).toBeLessThanOrEqual(frames / 4);
      }),
    );
  });

  test('as many as asked for lie evenly from the beginning to the end', () => {
    expect(spreadWindows(100, 10, 4)).toEqual([0, 30, 60, 90]);
    expect(spreadWindows(100, 10, 1)).toEqual([45]);
    // There are no more different windows than this.
    expect(spreadWindows(12, 10, 10)).toEqual([0, 1, 2]);
    expect(spreadWindows(7, 10, 3)).toEqual([0]);
  });

  test.each([
    [20, [0]],
    [26, [1]],
    [32, [0, 8]],
    [48, [0, 12, 24]],
  ])('%i frames, 24 a window: %j', (available, starts) => {
    expect(spreadWindows(available, 24)).toEqual(starts);
  });
});

describe('views', () => {
  const frame = (index: number, width: number, height: number): Frame => ({
    ...{ streamId: 'v', index, segment: 0, ptsUs: 0, capturedAtMs: 0, ingestedAtMs: 0, width, height },
    // Each pixel tells its frame, row and column.
    data: Uint8Array.from({ length: width * height * 3 }, (_, at) => {
      const pixel = Math.floor(at / 3);
      return [index, Math.floor(pixel / width), pixel % width][at % 3]!;
    }),
  });

  test('a wide picture has a left, a middle and a right one, a tall one a top and a bottom', () => {
    const view = { width: 4, height: 4 };

    expect(viewsOf({ width: 9, height: 4 }, view).map(({ left }) => left)).toEqual([0, 3, 5]);
    expect(viewsOf({ width: 4, height: 10 }, view).map(({ top }) => top)).toEqual([0, 3, 6]);
    expect(viewsOf(view, view)).toEqual([{ left: 0, top: 0 }]);
  });

  test('the picture is scaled to its shorter side, its form kept', () => {
    expect(sizeForViews({ width: 320, height: 240 }, { width: 112, height: 112 })).toEqual({
      width: 149,
      height: 112,
    });
    expect(sizeForViews({ width: 90, height: 160 }, { width: 112, height: 112 })).toEqual({
      width: 112,
      height: 199,
    });
  });

  test('a window holds the pixels of its view, and repeats the last frame past the end', () => {
    const frames = [0, 1, 2].map((index) => frame(index, 5, 3));

    const window = cutWindow(frames, {
      ...{ first: 1, length: 3, view: { left: 2, top: 1 } },
      size: { width: 2, height: 2 },
    });

    expect(window).toMatchObject({ frames: 3, width: 2, height: 2 });
    const pictures = Array.from({ length: 3 }, (_, n) =>
      Array.from(window.data.subarray(n * 12, n * 12 + 12)),
    );
    expect(pictures).toEqual([1, 2, 2].map((index) => [index, 1, 2, index, 1, 3, index, 2, 2, index, 2, 3]));
  });
});
