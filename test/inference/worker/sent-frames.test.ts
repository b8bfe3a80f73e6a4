import { expect, test } from 'vitest';
import type { PixelClip } from '../../../src/inference/engine.ts';
import { createFrameMemory } from '../../../src/inference/worker/frame-memory.ts';
import { createSentFrames, type Payload } from '../../../src/inference/worker/sent-frames.ts';

const FRAMES = 4;
const CONTEXT = 2;

/** Pictures of one pixel: frame n of segment s shows 10·s + n. */
function clipAt(firstFrame: number, { id = 'a', segment = 0 } = {}): PixelClip {
  const show = (from: number, to: number): Uint8Array =>
    Uint8Array.from({ length: 3 * (to - from) }, (_, i) => 10 * segment + from + Math.floor(i / 3));
  const before = show(Math.max(0, firstFrame - CONTEXT), firstFrame);
  const data = show(firstFrame, firstFrame + FRAMES);
  const stream = { id, segment, firstFrame, before };
  return { clipId: `${id}/${segment}/${firstFrame}`, frames: FRAMES, height: 1, width: 1, data, stream };
}

/** Both ends, with a slot between them. */
function link({ maxStreams = 8 } = {}) {
  const sent = createSentFrames();
  let slot = new Uint8Array();
  const memory = createFrameMemory({
    contextFrames: CONTEXT,
    maxStreams,
    read: (pixels) => {
      expect(pixels.length).toBe(slot.length);
      pixels.set(slot);
    },
  });
  const transmit = ({ place, parts }: Payload, clip: PixelClip): PixelClip | undefined => {
    slot = Uint8Array.from(parts.flatMap((part) => Array.from(part)));
    const { clipId, frames, height, width } = clip;
    return memory.restore({ clipId, frames, height, width }, place!);
  };
  return {
    sent,
    memory,
    /** How many pictures went; the clip must arrive whole. */
    send: (clip: PixelClip): number => {
      const arrived = transmit(sent.pack(clip), clip);
      expect(arrived).toEqual(clip);
      sent.confirm(clip);
      return slot.length / 3;
    },
    transmit,
  };
}

test('of overlapping clips only new pictures go', () => {
  const { send } = link();

  expect([0, 2, 4, 6].map((first) => send(clipAt(first)))).toEqual([4, 2, 2, 2]);
});

test('after dropped clips what is missing goes, after a gap or in a new segment all', () => {
  const { send } = link();

  expect(send(clipAt(0))).toBe(4);
  expect(send(clipAt(4))).toBe(4);
  expect(send(clipAt(20))).toBe(6);
  expect(send(clipAt(22, { segment: 1 }))).toBe(6);
  expect(send(clipAt(0, { segment: 2 }))).toBe(4);
});

test('streams do not disturb each other', () => {
  const { send } = link();
  const streams = ['a', 'b', 'c'];

  const counts = [0, 2, 4].map((first) => streams.map((id) => send(clipAt(first, { id }))));

  expect(counts).toEqual([
    [4, 4, 4],
    [2, 2, 2],
    [2, 2, 2],
  ]);
});

test('a clip that was not answered leaves nothing known of its stream', () => {
  const { sent, send } = link();
  send(clipAt(0));
  sent.pack(clipAt(2));

  const again = sent.pack(clipAt(2));

  expect(again.place).toMatchObject({ fresh: true, sentFrom: 0 });
  expect(send(clipAt(2))).toBe(6);
});

test('where the other end has forgotten the stream, it asks for all', () => {
  const { sent, send, transmit } = link({ maxStreams: 1 });
  send(clipAt(0, { id: 'a' }));
  send(clipAt(0, { id: 'b' }));

  const clip = clipAt(2, { id: 'a' });
  expect(transmit(sent.pack(clip), clip)).toBeUndefined();
  expect(send(clip)).toBe(6);
});
