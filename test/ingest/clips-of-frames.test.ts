import { expect, test } from 'vitest';
import type { Clip, Frame } from '../../src/core/frame.ts';
import { clipsOfFrames, clipsOfFrameStream } from '../../src/ingest/index.ts';
import { frameAt } from '../support/frames.ts';

const WINDOW = { frames: 4, stride: 3, fps: 10, tail: 'drop', context: 2 } as const;

async function* given(frames: readonly Frame[], onNext: () => void): AsyncGenerator<Frame> {
  for (const frame of frames) {
    onNext();
    yield await Promise.resolve(frame);
  }
}

test('frames that come one by one make the clips of the same frames all at once, over segments too', async () => {
  const frames = [
    ...Array.from({ length: 9 }, (_, index) => frameAt(index)),
    ...Array.from({ length: 5 }, (_, slot) => frameAt(slot + 9, { segment: 1, slot })),
  ];

  const clips: Clip[] = [];
  for await (const clip of clipsOfFrameStream(
    given(frames, () => undefined),
    WINDOW,
  ))
    clips.push(clip);

  expect(clips).toEqual(clipsOfFrames(frames, WINDOW));
  expect(clips.map(({ segment }) => segment)).toEqual([0, 0, 1]);
});

test('a clip comes with its last frame, and a reader who has enough stops the frames', async () => {
  let taken = 0;
  const frames = Array.from({ length: 20 }, (_, index) => frameAt(index));

  for await (const clip of clipsOfFrameStream(
    given(frames, () => (taken += 1)),
    WINDOW,
  )) {
    expect(clip.frames).toHaveLength(4);
    break;
  }

  expect(taken).toBe(4);
});
