import type { BarPanel, Figure, PointPanel } from '../plots/figure.ts';
import { medianMs, quantile, quietSamples } from './statistics.ts';
import type { BenchResults, ClipTimes, StageTimes, StreamRun, StreamRuns } from './types.ts';

/** A figure for each part that was measured, by file name. */
export function benchFigures({ machine, clips, stages, streams }: BenchResults): ReadonlyMap<string, Figure> {
  const note = `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${machine.date}`;
  const figures = new Map<string, Figure>();
  const shapes = Object.entries(clips ?? {});
  if (shapes.length > 0)
    figures.set('clips', {
      title: 'One dense clip',
      note,
      panels: shapes.map(([name, times]) => clipPanel(name, times)),
      columns: 1,
    });
  if (stages)
    figures.set('kept-steps', { title: 'Time against kept steps', note, panels: [stagePanel(stages)] });
  if (streams)
    figures.set('streams', {
      title: 'Streams at real time',
      note,
      panels: streamPanels(streams),
      columns: 2,
    });
  return figures;
}

function clipPanel(title: string, { cases }: ClipTimes): BarPanel {
  const names = Object.keys(cases);
  const bars = Object.values(cases).map((samples) => {
    const times = quietSamples(samples).map(({ ms }) => ms);
    return { value: medianMs(samples), from: quantile(times, 0), to: quantile(times, 1) };
  });
  return {
    kind: 'bars',
    title,
    x: { label: 'ms a clip (median, least to most)', from: 0 },
    categories: names,
    series: [{ name: 'time', bars }],
  };
}

function stagePanel({ whole, cases, inputSteps }: StageTimes): PointPanel {
  const wholeMs = medianMs(whole);
  return {
    kind: 'points',
    title: 'S3D-G cut after Conv_2b',
    x: { label: `steps kept of ${inputSteps}`, from: 0 },
    y: { label: 'relative to one graph', from: 0 },
    series: [
      {
        name: 'time',
        line: true,
        points: cases.map(({ keptSteps, samples }) => ({ x: keptSteps, y: medianMs(samples) / wholeMs })),
      },
      {
        name: 'multiply-adds',
        line: true,
        points: cases.map(({ keptSteps, costShare }) => ({ x: keptSteps, y: costShare })),
      },
    ],
  };
}

function streamPanels({ sloMs, ours, peer }: StreamRuns): readonly PointPanel[] {
  const panel = (title: string, label: string, series: PointPanel['series']): PointPanel => ({
    kind: 'points',
    title,
    x: { label: 'streams', from: 0 },
    y: { label, from: 0 },
    series: series.filter(({ points }) => points.length > 0),
  });
  const both = (y: (run: StreamRun) => number): PointPanel['series'] => [
    curve('actionstream', ours, y),
    curve('PyTorch + OpenCV', peer, y),
  ];
  const engines = ours.filter(({ byPart }) => byPart?.['engine'] !== undefined);
  const deltas = ours.flatMap(({ streams, receipts }) =>
    receipts?.delta ? [{ x: streams, y: receipts.delta.mean, yTo: receipts.delta.max }] : [],
  );
  return [
    panel(
      `p95 latency (must stay below ${(sloMs / 1000).toFixed(1)} s)`,
      'seconds',
      both(({ latencyMs }) => latencyMs.p95 / 1000),
    ),
    panel('processor', 'cores', [
      ...both(({ cores }) => cores),
      curve('of ours: engines', engines, ({ byPart }) => byPart?.['engine']?.cores ?? Number.NaN),
    ]),
    panel(
      'memory',
      'MiB',
      both(({ mebibytes }) => mebibytes),
    ),
    ...(deltas.length === 0
      ? []
      : [
          panel('sampler (raised where compute is short)', 'δ, mean and largest', [
            {
              name: 'actionstream',
              line: true,
              points: deltas.map((point) => ({ ...point, yFrom: point.y })),
            },
          ]),
        ]),
  ];
}

function curve(
  name: string,
  runs: readonly StreamRun[],
  y: (run: StreamRun) => number,
): PointPanel['series'][number] {
  return { name, line: true, points: runs.map((run) => ({ x: run.streams, y: y(run) })) };
}
