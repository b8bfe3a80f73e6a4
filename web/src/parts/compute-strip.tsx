import { useMemo, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { ClipStats } from '../../../src/client/index.ts';
import { middleOf } from '../live/timeline.ts';
import { clock, compact, percent } from '../words/format.ts';
import { axis, Chart, gutters, type Colours } from './chart.tsx';

interface ComputeStripProps {
  /** By time. */
  readonly clips: readonly ClipStats[];
  readonly from: number;
  readonly to: number;
}

/** Kept steps of each clip against time, and the multiply-adds that were saved up to it. */
export function ComputeStrip({ clips, from, to }: ComputeStripProps) {
  const [point, setPoint] = useState<number>();
  const { data, saved, dense } = useMemo(() => columnsOf(clips), [clips]);
  const pointed = point === undefined ? undefined : clips[point];
  const total = saved.at(-1) ?? 0;
  const words = `${percent(dense > 0 ? total / dense : 0)} saved: ${compact(total)} of ${compact(dense)} multiply-adds`;
  return (
    <figure class="strip">
      <figcaption>
        <span class="key kept-key">kept steps</span>
        <span class="key input-key">input steps</span>
        <span class="key saved-key">multiply-adds saved so far</span>
        <output>
          {pointed && point !== undefined
            ? `${clock(middleOf(pointed))} · ${pointed.compute.kept_steps} of ${pointed.compute.input_steps} steps · ${compact(saved[point] ?? 0)} saved so far`
            : words}
        </output>
      </figcaption>
      <Chart
        label={`Kept steps of ${clips.length} clips against time. ${words}`}
        height={210}
        data={data}
        range={[from / 1000, to / 1000]}
        options={optionsOf}
        onPoint={setPoint}
      />
    </figure>
  );
}

/** uPlot's `Side.Right`: a constant enumeration, which a file by itself cannot read. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- see above
const RIGHT = 1 as uPlot.Axis.Side;

function columnsOf(clips: readonly ClipStats[]) {
  let [saved, dense] = [0, 0];
  const sums = clips.map(({ compute }) => {
    dense += compute.dense_multiply_adds;
    saved += compute.dense_multiply_adds - compute.multiply_adds;
    return saved;
  });
  const data: uPlot.AlignedData = [
    clips.map((clip) => middleOf(clip) / 1000),
    clips.map(({ compute }) => compute.input_steps),
    clips.map(({ compute }) => compute.kept_steps),
    sums,
  ];
  return { data, saved: sums, dense };
}

function optionsOf(colours: Colours): Omit<uPlot.Options, 'width' | 'height'> {
  const bars = uPlot.paths.bars?.({ size: [0.78, 22], align: 0 });
  const bar = (fill: string): uPlot.Series => ({
    ...{ fill, width: 0, points: { show: false } },
    ...(bars && { paths: bars }),
  });
  return {
    padding: [10, 0, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      y: { range: (_, __, most) => [0, Math.max(1, most)] },
      saved: { range: (_, __, most) => [0, Math.max(1, most * 1.06)] },
    },
    series: [
      {},
      bar(colours.faint),
      bar(colours.kept),
      { scale: 'saved', stroke: colours.saved, width: 2, points: { show: false } },
    ],
    axes: [
      axis(colours, 30, {
        grid: { show: false },
        space: 90,
        values: (_, ticks) => ticks.map((tick) => clock(tick * 1000)),
      }),
      axis(colours, () => gutters().left, { incrs: [1, 2, 4, 8, 16, 32], space: 34 }),
      axis(colours, () => gutters().right, {
        ...{ scale: 'saved', side: RIGHT, grid: { show: false }, space: 40, stroke: colours.saved },
        values: (_, ticks) => ticks.map((tick) => compact(tick)),
      }),
    ],
  };
}
