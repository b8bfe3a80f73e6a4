import { describe, expect, it } from 'vitest';

import type { Clip } from '../../src/core/frame.ts';
import { createClipQueue } from '../../src/ingest/clip-queue.ts';
import { frameAt } from '../support/frames.ts';

const never = new AbortController().signal;

function clip(sequence: number): Clip {
  const frame = frameAt(sequence);
  const times = { startUs: 0, endUs: 1, startedAtMs: 0, endedAtMs: 1 };
  return {
    clipId: `cam/0/${sequence}`,
    streamId: 'cam',
    segment: 0,
    sequence,
    startIndex: sequence,
    framesBefore: sequence,
    context: [],
    frames: [frame],
    ...times,
    paddedFrames: 0,
  };
}

describe('clip queue', () => {
  it('freshest: keeps the newest clips, and tells each that it gives up', async () => {
    const dropped: number[] = [];
    const queue = createClipQueue(2, 'freshest', ({ sequence }) => dropped.push(sequence));

    for (let sequence = 0; sequence < 5; sequence += 1) queue.push(clip(sequence));

    expect(dropped).toEqual([0, 1, 2]);
    expect(queue.length).toBe(2);
    expect((await queue.take(never))?.sequence).toBe(3);
  });

  it('freshest: never makes the decoder wait', async () => {
    const queue = createClipQueue(1, 'freshest', () => undefined);
    queue.push(clip(0));

    await expect(queue.room(never)).resolves.toBeUndefined();
  });

  it('every_frame: makes the decoder wait until a clip is taken, and drops none', async () => {
    const queue = createClipQueue(1, 'every_frame', () => expect.unreachable());
    const order: string[] = [];
    queue.push(clip(0));

    const room = queue.room(never).then(() => order.push('room'));
    order.push(`took ${String((await queue.take(never))?.sequence)}`);
    await room;

    expect(order).toEqual(['took 0', 'room']);
  });

  it('delivers what waits after it was closed, then ends or throws', async () => {
    const queue = createClipQueue(9, 'every_frame', () => undefined);
    queue.push(clip(0));
    queue.close(new Error('damaged'));

    expect((await queue.take(never))?.sequence).toBe(0);
    await expect(queue.take(never)).rejects.toThrow('damaged');
  });

  it('wakes both sides when the signal aborts', async () => {
    const controller = new AbortController();
    const full = createClipQueue(1, 'every_frame', () => undefined);
    full.push(clip(0));
    const empty = createClipQueue(1, 'every_frame', () => undefined);

    const waiting = Promise.all([full.room(controller.signal), empty.take(controller.signal)]);
    controller.abort();

    await expect(waiting).resolves.toEqual([undefined, undefined]);
  });
});
