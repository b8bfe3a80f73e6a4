import { mostStreams } from './stream-runs.ts';
import { median } from '../../core/median.ts';
import { medianMs, quantile, quietSamples } from './statistics.ts';
import { OURS } from './clip-times.ts';
import type { BenchResults, ClipTimes, Sample, StageTimes, StreamRun, StreamRuns } from './types.ts';

/** One line of the summary: what, how much, and of how many samples. */
export interface Ratio {
  readonly name: string;
  readonly value: string;
  readonly detail: string;
}

/** The ratios that the results hold. */
export function ratiosOf({ clips, stages, reuse, streams }: Partial<BenchResults>): readonly Ratio[] {
  return [
    ...Object.entries(clips ?? {}).flatMap(([shape, times]) => clipRatios(shape, times)),
    ...(stages ? stageRatios(stages) : []),
    ...(reuse
      ? [
          {
            name: 'overlap of one half: lower stage, reused ÷ apart',
            value: (median(reuse.sharedLowerMs) / median(reuse.apartLowerMs)).toFixed(2),
            detail: `${median(reuse.sharedLowerMs).toFixed(0)} ÷ ${median(reuse.apartLowerMs).toFixed(0)} ms`,
          },
        ]
      : []),
    ...(streams ? streamRatios(streams) : []),
  ];
}

function clipRatios(shape: string, { cases, gemmGflops, multiplyAdds }: ClipTimes): readonly Ratio[] {
  const ours = cases[OURS] ?? [];
  const oursMs = medianMs(ours);
  const gflops = (2 * multiplyAdds) / oursMs / 1e6;
  const lines: Ratio[] = [{ name: shape, value: `${oursMs.toFixed(0)} ms`, detail: spreadOf(ours) }];
  for (const [name, samples] of Object.entries(cases)) {
    if (name === OURS) continue;
    const ratio = medianMs(samples) / oursMs;
    lines.push({
      name: `  ${name} ÷ ours`,
      value: ratio.toFixed(2),
      detail: `${medianMs(samples).toFixed(0)} ms ${spreadOf(samples)}`,
    });
  }
  if (gemmGflops.length > 0) {
    const limit = median(gemmGflops);
    const value = `${((100 * gflops) / limit).toFixed(0)} %`;
    lines.push({
      name: '  of the speed of large matrix products',
      value,
      detail: `${gflops.toFixed(0)} of ${limit.toFixed(0)} GFLOP/s`,
    });
  }
  return lines;
}

function stageRatios({ whole, cases, inputSteps }: StageTimes): readonly Ratio[] {
  const wholeMs = medianMs(whole);
  const all = cases.find(({ keptSteps }) => keptSteps === inputSteps);
  const cut = all ? medianMs(all.samples) : Number.NaN;
  const samplerMs = all ? median(all.samples.map((sample) => sample.samplerMs)) : Number.NaN;
  return [
    {
      name: 'cut at SGS, all steps kept ÷ one graph',
      value: (cut / wholeMs).toFixed(3),
      detail: `${cut.toFixed(0)} ÷ ${wholeMs.toFixed(0)} ms`,
    },
    {
      name: 'sampler ÷ clip',
      value: `${((100 * samplerMs) / cut).toFixed(2)} %`,
      detail: `${samplerMs.toFixed(2)} ms`,
    },
    ...cases.map(({ keptSteps, costShare, samples }) => ({
      name: `  ${keptSteps} of ${inputSteps} steps kept ÷ one graph`,
      value: (medianMs(samples) / wholeMs).toFixed(2),
      detail: `multiply-adds ${costShare.toFixed(2)}; lower ${median(samples.map((s) => s.lowerMs)).toFixed(0)}, upper ${median(samples.map((s) => s.upperMs)).toFixed(0)} ms`,
    })),
  ];
}

function streamRatios({ sloMs, ours, peer }: StreamRuns): readonly Ratio[] {
  const most = mostStreams(ours, sloMs);
  const peers = mostStreams(peer, sloMs);
  const perStream = memoryPerStream(ours);
  const held = ours.find((run) => run.streams === most);
  return [
    {
      name: 'streams in real time',
      value: String(most),
      detail: `p95 latency ≤ ${(sloMs / 1000).toFixed(1)} s, ≤ 2 % dropped${at(ours, most)}`,
    },
    ...(held ? receiptRatios(held) : []),
    ...(peer.length > 0
      ? [
          {
            name: '  peer',
            value: String(peers),
            detail: `${peers > 0 ? `ours: ${(most / peers).toFixed(1)} ×` : 'not even one'}${at(peer, peers)}`,
          },
        ]
      : []),
    ...(perStream === undefined
      ? []
      : [
          {
            name: '  memory a stream',
            value: `${perStream.toFixed(0)} MiB`,
            detail: 'growth from the fewest to the most streams',
          },
        ]),
  ];
}

/** Of the most streams that keep up: what the engines take of the processors, and whether δ had to rise. */
function receiptRatios({ streams, cores, byPart, receipts }: StreamRun): readonly Ratio[] {
  const engine = byPart?.['engine']?.cores;
  const delta = receipts?.delta;
  return [
    ...(engine === undefined
      ? []
      : [
          {
            name: '  share of the engines',
            value: `${((100 * engine) / cores).toFixed(0)} %`,
            detail: `${engine.toFixed(2)} cores, ${((100 * engine) / streams).toFixed(1)} % of a core a stream`,
          },
        ]),
    ...(delta
      ? [
          {
            name: '  δ of the sampler, mean',
            value: delta.mean.toFixed(2),
            detail: `largest ${delta.max.toFixed(2)}; the compute budget raises it`,
          },
        ]
      : []),
  ];
}

function memoryPerStream(runs: readonly StreamRun[]): number | undefined {
  const [first] = runs;
  const last = runs.at(-1);
  if (!first || !last || first.streams === last.streams) return undefined;
  return (last.mebibytes - first.mebibytes) / (last.streams - first.streams);
}

function at(runs: readonly StreamRun[], count: number): string {
  const run = runs.find(({ streams }) => streams === count);
  return run ? `; at ${count}: p95 ${run.latencyMs.p95.toFixed(0)} ms, ${run.cores.toFixed(2)} cores` : '';
}

function spreadOf(samples: readonly Sample[]): string {
  const quiet = quietSamples(samples);
  const times = quiet.map(({ ms }) => ms);
  return `[${quantile(times, 0).toFixed(0)}–${quantile(times, 1).toFixed(0)}], ${quiet.length} of ${samples.length} rounds`;
}
