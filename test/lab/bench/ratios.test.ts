import { expect, test } from 'vitest';
import { benchFigures } from '../../../src/lab/bench/bench-figures.ts';
import { ratiosOf } from '../../../src/lab/bench/ratios.ts';
import { describeRun, keepsUp, mostStreams } from '../../../src/lab/bench/stream-runs.ts';
import { summariseClips } from '../../../src/lab/bench/summarise-clips.ts';
import { medianMs, quietSamples } from '../../../src/lab/bench/statistics.ts';
import type { BenchResults, Sample, StreamRun } from '../../../src/lab/bench/types.ts';
import type { ClipStats } from '../../../src/core/records.ts';
import { drawFigure } from '../../../src/lab/plots/draw-figure.ts';
import { clipStats } from '../../support/records.ts';

const MACHINE = { cpu: 'a CPU', cores: 2, node: 'v20', version: '1.0.0', date: '2026-11-23' };

test('samples that other programs disturbed are left out while three quiet ones remain', () => {
  const samples = [sample(100), sample(104), sample(300, 0.9), sample(102)];

  expect(quietSamples(samples)).toHaveLength(3);
  expect(medianMs(samples)).toBe(102);
  expect(quietSamples(samples.slice(1))).toHaveLength(3);
});

test('a number of streams keeps up while the p95 latency is within one clip and next to nothing is dropped', () => {
  expect(keepsUp(run(4, 2400), 2400)).toBe(true);
  expect(keepsUp(run(4, 2401), 2400)).toBe(false);
  expect(keepsUp({ ...run(4, 100), dropped: 5 }, 2400)).toBe(false);
  expect(keepsUp({ ...run(4, Number.NaN), clips: 0 }, 2400)).toBe(false);
  expect(mostStreams([run(1, 100), run(16, 2000), run(24, 9000)], 2400)).toBe(16);
});

test('ratios say how many times as long the peer takes, and what share of the matrix product speed is reached', () => {
  const lines = linesOf({
    clips: {
      shape: {
        multiplyAdds: 70e9,
        threads: 2,
        cases: { actionstream: [sample(1000)], 'torch eager': [sample(3300)] },
        gemmGflops: [140],
      },
    },
  });

  expect(lines.get('shape')).toBe('1000 ms');
  expect(lines.get('  torch eager ÷ ours')).toBe('3.30');
  expect(lines.get('  of the speed of large matrix products')).toBe('100 %');
});

test('ratios of stages, reuse and streams', () => {
  const stage = (keptSteps: number, ms: number) => ({
    keptSteps,
    costShare: keptSteps / 32,
    samples: [{ ...sample(ms), lowerMs: 300, samplerMs: 5, upperMs: ms - 305 }],
  });
  const lines = linesOf({
    stages: { whole: [sample(1000)], inputSteps: 32, cases: [stage(32, 1020), stage(1, 400)] },
    reuse: { apartLowerMs: [400], sharedLowerMs: [208] },
    streams: { sloMs: 2400, ours: [run(1, 80), run(16, 1000)], peer: [run(1, 200), run(4, 2000)] },
  });

  expect(lines.get('cut at SGS, all steps kept ÷ one graph')).toBe('1.020');
  expect(lines.get('sampler ÷ clip')).toBe('0.49 %');
  expect(lines.get('  1 of 32 steps kept ÷ one graph')).toBe('0.40');
  expect(lines.get('overlap of one half: lower stage, reused ÷ apart')).toBe('0.52');
  expect(lines.get('streams in real time')).toBe('16');
  expect(lines.get('  peer')).toBe('4');
  expect(lines.get('  memory a stream')).toBe('30 MiB');
});

test('what was not measured has neither ratio nor figure', () => {
  expect(ratiosOf({ machine: MACHINE })).toEqual([]);
  expect([...benchFigures({ machine: MACHINE }).keys()]).toEqual([]);
});

test('every part that was measured has a figure that can be drawn, without a peer too', () => {
  const figures = benchFigures({
    machine: MACHINE,
    clips: { shape: { multiplyAdds: 1e9, threads: 2, cases: { actionstream: [sample(9)] }, gemmGflops: [] } },
    streams: { sloMs: 2400, ours: [run(1, 80), run(16, 1000)], peer: [] },
  });

  expect([...figures.keys()]).toEqual(['clips', 'streams']);
  for (const figure of figures.values()) expect(drawFigure(figure)).not.toContain('NaN');
});

test('streams tell the share of the engines and the δ that was used, and both are drawn', () => {
  const receipts = { keptSteps: 2, delta: { mean: 0.9, max: 2.4 }, fewestClips: 30, failed: 0 };
  const byPart = { main: { cores: 0.3, mebibytes: 60 }, engine: { cores: 0.7, mebibytes: 300 } };
  const runs = [run(4, 80), run(8, 90)].map((one) => ({ ...one, receipts, byPart }));
  const streams = { sloMs: 2400, ours: runs, peer: [run(4, 900)] };
  const lines = linesOf({ streams });

  expect(lines.get('  share of the engines')).toBe('70 %');
  expect(lines.get('  δ of the sampler, mean')).toBe('0.90');
  const panels = benchFigures({ machine: MACHINE, streams }).get('streams')?.panels ?? [];
  const names = panels.map((panel) => ('series' in panel ? panel.series.map(({ name }) => name) : []));
  expect(names[1]).toEqual(['actionstream', 'PyTorch + OpenCV', 'of ours: engines']);
  expect(names[3]).toEqual(['actionstream']);
  expect(describeRun(runs[1]!)).toContain('δ mean 0.90 most 2.40, 1.00 cores (main 0.30, engine 0.70)');
});

test('a run is summarised by its slowest clips, its poorest stream and the counts of its log', () => {
  const clips = [clip('a', 20, 0.6), clip('a', 40, 0.6), clip('a', 90, 1.2), clip('b', 30, 1.6)];
  const log = '{"clips_dropped":3,"clips_failed":1}\n{"clips_dropped":4,"clips_failed":0}\n';

  const { latencyMs, receipts, dropped } = summariseClips(clips, log);

  expect(latencyMs).toEqual({ p50: 40, p95: 90, max: 90 });
  expect(dropped).toBe(7);
  expect(receipts).toEqual({
    keptSteps: 2,
    delta: { mean: 1, max: 1.6 },
    fewestClips: 1,
    failed: 1,
  });
});

test('a run without a clip has no δ and no clip of any stream', () => {
  expect(summariseClips([], '').receipts).toEqual({ keptSteps: 0, fewestClips: 0, failed: 0 });
});

function linesOf(results: Partial<BenchResults>): ReadonlyMap<string, string> {
  return new Map(ratiosOf(results).map(({ name, value }) => [name, value]));
}

function clip(streamId: string, e2e: number, delta: number): ClipStats {
  const { payload } = clipStats({ stream_id: streamId });
  const { compute } = payload;
  const receipt = { ...compute, delta, kept_steps: 2, latency_ms: { ...compute.latency_ms, e2e } };
  return { ...payload, compute: receipt };
}

function sample(ms: number, othersCores = 0): Sample {
  return { ms, othersCores };
}

function run(streams: number, p95: number): StreamRun {
  const latencyMs = { p50: p95 / 2, p95 };
  return { streams, seconds: 20, clips: 33, dropped: 0, latencyMs, cores: 1, mebibytes: 100 + 30 * streams };
}
