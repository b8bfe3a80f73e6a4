import type { BarPanel, Figure, PointPanel } from '../../report/figure.ts';
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
  if (streams) figures.set('streams', { title: 'Streams at real time', note, panels: streamPanels(streams) });
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
  const panel = (title: string, label: string, y: (run: StreamRun) => number): PointPanel => ({
    kind: 'points',
    title,
    x: { label: 'streams', from: 0 },
    y: { label, from: 0 },
    series: [
      { name: 'actionstream', line: true, points: ours.map((run) => ({ x: run.streams, y: y(run) })) },
      ...(peer.length === 0
        ? []
        : [
            {
              name: 'PyTorch + OpenCV',
              line: true,
              points: peer.map((run) => ({ x: run.streams, y: y(run) })),
            },
          ]),
    ],
  });
  return [
    panel(
      `p95 latency (must stay below ${(sloMs / 1000).toFixed(1)} s)`,
      'seconds',
      ({ latencyMs }) => latencyMs.p95 / 1000,
    ),
    panel('processor', 'cores', ({ cores }) => cores),
    panel('memory', 'MiB', ({ mebibytes }) => mebibytes),
  ];
}
