import { describe, expect, it } from 'vitest';

import type { Frame } from '../../src/core/frame.ts';
import {
  createFrameAssembler,
  type Discontinuity,
  type FrameAssembler,
} from '../../src/ingest/frame-assembler.ts';

interface Bench {
  readonly assembler: FrameAssembler;
  readonly frames: Frame[];
  readonly breaks: Discontinuity[];
  readonly late: () => number;
  /** One raw frame at a time of the source, arriving at a time of the wall clock. */
  readonly feed: (ptsMs: number, wallMs?: number) => void;
}

function bench(kind: 'live' | 'file', startTimeMs = 0): Bench {
  const frames: Frame[] = [];
  const breaks: Discontinuity[] = [];
  let wall = 0;
  let count = 0;
  let late = 0;
  const assembler = createFrameAssembler(
    { streamId: 'cam', width: 1, height: 1, fps: 10, kind, startTimeMs, now: () => wall },
    {
      onFrame: (frame) => frames.push(frame),
      onDiscontinuity: (discontinuity) => breaks.push(discontinuity),
      onLate: () => (late += 1),
    },
  );
  return {
    assembler,
    frames,
    breaks,
    late: () => late,
    feed(ptsMs, wallMs = wall) {
      wall = wallMs;
      assembler.pts(ptsMs * 1000);
      assembler.rawFrame(Uint8Array.of(count++, 0, 0));
    },
  };
}

const reported = ({ index, segment, ptsUs, capturedAtMs }: Frame): number[] => [
  index,
  segment,
  ptsUs,
  capturedAtMs,
];

describe('frame assembler', () => {
  it('pairs raw frames and times in order, whichever comes first', () => {
    const { assembler, frames } = bench('file');

    assembler.pts(0);
    assembler.pts(100_000);
    assembler.rawFrame(Uint8Array.of(1));
    assembler.rawFrame(Uint8Array.of(2));
    assembler.rawFrame(Uint8Array.of(3));
    assembler.pts(200_000);

    expect(frames.map(({ ptsUs, data }) => [ptsUs, data[0]])).toEqual([
      [0, 1],
      [100_000, 2],
      [200_000, 3],
    ]);
  });

  it('holds a bounded number of raw frames without times, and of times without raw frames', () => {
    const times = bench('file').assembler;
    const accepted = (give: () => boolean): number => {
      for (let count = 0; count < 30_000_000; count += 1) if (!give()) return count;
      return Infinity;
    };
    const large = createFrameAssembler(
      { streamId: 'cam', width: 1024, height: 1024, fps: 10, kind: 'live', startTimeMs: 0, now: () => 0 },
      { onFrame: () => undefined, onDiscontinuity: () => undefined, onLate: () => undefined },
    );
    const block = new Uint8Array(1024 * 1024 * 3);

    expect(accepted(() => large.rawFrame(block))).toBe(Math.floor((64 * 1024 ** 2) / block.length));
    expect(accepted(() => times.pts(0))).toBe(100_000);
  });

  it('repeats the last raw frame over a short hole', () => {
    const { frames, feed } = bench('file');

    feed(0);
    feed(300);

    expect(frames.map(({ ptsUs, data }) => [ptsUs, data[0]])).toEqual([
      [0, 0],
      [100_000, 0],
      [200_000, 0],
      [300_000, 1],
    ]);
  });

  it('counts media time of a file from its first raw frame, holes included', () => {
    const { frames, feed, breaks } = bench('file', 1_000_000);

    for (const pts of [5000, 5100, 65_000]) feed(pts);

    expect(frames.map(reported)).toEqual([
      [0, 0, 0, 1_000_000],
      [1, 0, 100_000, 1_000_100],
      [2, 1, 0, 1_060_000],
    ]);
    expect(breaks[1]).toEqual({
      why: 'hole',
      segment: 1,
      lastCapturedAtMs: 1_000_100,
      capturedAtMs: 1_060_000,
    });
  });

  it('lets the time of a file go on where its clock steps back, and keeps later holes', () => {
    const { frames, feed } = bench('file');

    for (const pts of [9000, 9100, 0, 100, 6100]) feed(pts);

    expect(frames.map(reported)).toEqual([
      [0, 0, 0, 0],
      [1, 0, 100_000, 100],
      [2, 1, 0, 200],
      [3, 1, 100_000, 300],
      [4, 2, 0, 6300],
    ]);
  });

  it('takes the wall clock at the first raw frame of a live segment, and the source after that', () => {
    const { frames, feed } = bench('live');

    feed(7000, 50_000);
    feed(7100, 50_190);
    feed(30_000, 73_000);

    expect(frames.map(reported)).toEqual([
      [0, 0, 0, 50_000],
      [1, 0, 100_000, 50_100],
      [2, 1, 0, 73_000],
    ]);
  });

  it('never lets capture time step back, also when a live source runs ahead of the wall clock or that one steps back', () => {
    const { frames, feed } = bench('live');

    feed(0, 50_000);
    for (let pts = 100; pts <= 2000; pts += 100) feed(pts, 50_000);
    feed(0, 40_000);

    const times = frames.map(({ capturedAtMs }) => capturedAtMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(frames.at(-1)).toMatchObject({ segment: 1, capturedAtMs: 52_100 });
  });

  it('counts what it gives up, also when the time comes after the raw frame', () => {
    const { assembler, frames, late } = bench('file');

    for (const pts of [100_000, 50_000, 110_000, 200_000]) {
      assembler.rawFrame(Uint8Array.of(0));
      assembler.pts(pts);
    }

    expect(late()).toBe(2);
    expect(frames).toHaveLength(2);
  });

  it('starts a segment after a restart, forgets halves without a partner and counts the index on', () => {
    const { assembler, frames, feed } = bench('live');

    feed(0, 1000);
    assembler.pts(100_000);
    assembler.restart();
    feed(0, 9000);

    expect(frames.map(reported)).toEqual([
      [0, 0, 0, 1000],
      [1, 1, 0, 9000],
    ]);
  });
});
