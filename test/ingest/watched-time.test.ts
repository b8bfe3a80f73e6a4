import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Clip } from '../../src/core/frame.ts';
import { createWatchedTime } from '../../src/ingest/watched-time.ts';

const window = { frames: 4, stride: 2, fps: 2 };
const STRIDE_MS = 1000;
const CLIP_MS = 2000;

function clipAt(startedAtMs: number, endedAtMs = startedAtMs + CLIP_MS): Clip {
  return {
    ...{ clipId: `cam/0/${startedAtMs}`, streamId: 'cam', segment: 0, sequence: 0, startIndex: 0 },
    ...{ framesBefore: 0, context: [], frames: [], paddedFrames: 0 },
    ...{ startUs: startedAtMs * 1000, endUs: endedAtMs * 1000, startedAtMs, endedAtMs },
  };
}

function ledger(sinceMs?: number) {
  const gaps: { fromMs: number; toMs: number; reason: string }[] = [];
  const time = createWatchedTime({ ...window, ...(sinceMs !== undefined && { sinceMs }) }, (gap) => {
    gaps.push({ ...gap });
  });
  return { time, gaps };
}

describe('watched time', () => {
  it('joins neighbouring drops to one gap, and leaves out what other clips cover', () => {
    const { time, gaps } = ledger();
    const clips = [0, 1000, 2000, 3000, 4000, 5000].map((ms) => clipAt(ms));
    time.broke(0, 'not_running');
    clips.forEach((clip) => {
      time.formed(clip);
    });

    clips.slice(1, 5).forEach((clip) => {
      time.lost(clip, 'freshest');
    });
    [clips[0], clips[5]].forEach((clip) => {
      if (clip) time.watched(clip);
    });

    expect(gaps).toEqual([{ fromMs: 2000, toMs: 5000, reason: 'freshest' }]);
  });

  it('takes one dropped clip among overlapping ones for no gap', () => {
    const { time, gaps } = ledger();
    const clips = [0, 1000, 2000].map((ms) => clipAt(ms));
    time.broke(0, 'not_running');
    clips.forEach((clip) => {
      time.formed(clip);
    });
    time.lost(clips[1] as Clip, 'failed');
    time.watched(clips[0] as Clip);
    time.watched(clips[2] as Clip);
    time.end();

    expect(gaps).toEqual([]);
  });

  it('tells a hole between segments when the new one begins, and the time before the program ran', () => {
    const { time, gaps } = ledger(500);
    time.broke(10_000, 'not_running');
    time.formed(clipAt(10_000));
    time.broke(20_000, 'exit');

    expect(gaps).toEqual([
      { fromMs: 500, toMs: 10_000, reason: 'not_running' },
      { fromMs: 12_000, toMs: 20_000, reason: 'exit' },
    ]);
  });

  it('knows no gap before the first frame of a stream that was never watched', () => {
    const { time, gaps } = ledger();
    time.broke(10_000, 'not_running');

    expect(gaps).toEqual([]);
  });

  it('begins anew where the clock was set back', () => {
    const { time, gaps } = ledger(50_000);
    time.broke(10_000, 'not_running');
    const clip = clipAt(10_000);
    time.formed(clip);
    time.watched(clip);

    expect(gaps).toEqual([]);
    expect(time.untilMs).toBe(12_000);
  });

  it('holds little while a camera comes and goes and the engine hangs', () => {
    const { time, gaps } = ledger();
    const inFlight = clipAt(0);
    time.broke(0, 'not_running');
    time.formed(inFlight);
    let previous: Clip | undefined;
    for (let n = 1; n <= 1000; n += 1) {
      time.broke(n * 10_000, 'exit');
      const clip = clipAt(n * 10_000);
      time.formed(clip);
      if (previous) time.lost(previous, 'freshest');
      previous = clip;
    }
    time.watched(inFlight);
    if (previous) time.watched(previous);

    expect(gaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)).toBe(10_000_000 - CLIP_MS);
  });

  it('covers exactly what no scored clip covers, without overlaps, whatever happens', () => {
    const fate = fc.constantFrom('watched', 'lost');
    const step = fc.record({ hole: fc.integer({ min: 0, max: 3 }), fates: fc.array(fate, { maxLength: 6 }) });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 5 }),
        (steps, lag) => {
          const { time, gaps } = ledger();
          const watched: Clip[] = [];
          const waiting: (() => void)[] = [];
          let atMs = 0;
          for (const { hole, fates } of steps) {
            atMs += hole * 1500;
            time.broke(atMs, 'exit');
            fates.forEach((how, n) => {
              const clip = clipAt(atMs + n * STRIDE_MS);
              time.formed(clip);
              waiting.push(() => {
                if (how === 'lost') time.lost(clip, 'freshest');
                else {
                  watched.push(clip);
                  time.watched(clip);
                }
              });
              while (waiting.length > lag) waiting.shift()?.();
            });
            if (fates.length > 0) atMs += (fates.length - 1) * STRIDE_MS + CLIP_MS;
          }
          waiting.forEach((settle) => {
            settle();
          });
          time.end();

          const first = (steps[0]?.hole ?? 0) * 1500;
          for (let ms = first + 250; ms < atMs; ms += 500) {
            const seen = watched.some(({ startedAtMs, endedAtMs }) => startedAtMs <= ms && ms < endedAtMs);
            const reported = gaps.filter(({ fromMs, toMs }) => fromMs <= ms && ms < toMs).length;
            expect(`${ms}: ${reported}`).toBe(`${ms}: ${seen ? 0 : 1}`);
          }
        },
      ),
    );
  });
});
