import { useMemo, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import type { ActionEvent, ClipStats } from '../../../src/client/index.ts';
import { middleOf, millis } from '../live/timeline.ts';
import { clock, percent } from '../words/format.ts';
import { axis, Chart, type Colours } from './chart.tsx';

interface ScoreChartProps {
  readonly event: ActionEvent;
  readonly clips: readonly ClipStats[];
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

/** The score of the label in each clip around the episode, the time of which is shaded. */
export function ScoreChart({ event, clips, from, to }: ScoreChartProps) {
  const [point, setPoint] = useState<number>();
  const { data, times } = useMemo(() => {
    const sorted = [...clips].sort((one, other) => one.clip_end.localeCompare(other.clip_end));
    const middles = sorted.map((clip) => middleOf(clip) / 1000);
    // A record holds the best scores of its clip: a label that is not among them was lower.
    const scores = sorted.map(
      ({ scores: best }) => best.find(({ label }) => label === event.label)?.score ?? 0,
    );
    return { data: [middles, scores] as uPlot.AlignedData, times: middles };
  }, [clips, event.label]);
  const score = point === undefined ? undefined : data[1]?.[point];
  const time = point === undefined ? undefined : times[point];
  return (
    <figure class="strip scores">
      <figcaption>
        <span class="key score-key">{event.label}, score of each clip</span>
        <span class="key episode-key">the episode</span>
        <output>
          {time !== undefined && typeof score === 'number'
            ? `${clock(time * 1000)} · ${percent(score)}`
            : `peak ${percent(event.score.peak)} smoothed`}
        </output>
      </figcaption>
      <Chart
        label={`Score of ${event.label} in ${clips.length} clips; its smoothed peak is ${percent(event.score.peak)}`}
        height={230}
        data={data}
        range={[from / 1000, to / 1000]}
        options={(colours) => optionsOf(colours, event)}
        onPoint={setPoint}
      />
    </figure>
  );
}

function optionsOf(colours: Colours, event: ActionEvent): Omit<uPlot.Options, 'width' | 'height'> {
  return {
    padding: [10, 12, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { y: { range: [0, 1] } },
    series: [{}, { stroke: colours.bad, width: 2, points: { show: true, size: 5, fill: colours.bad } }],
    axes: [
      axis(colours, 30, {
        grid: { show: false },
        space: 90,
        values: (_, ticks) => ticks.map((tick) => clock(tick * 1000)),
      }),
      axis(colours, 52, { values: (_, ticks) => ticks.map((tick) => percent(tick)) }),
    ],
    hooks: {
      drawClear: [
        (plot) => {
          shade(plot, event, colours.faint);
        },
      ],
    },
  };
}

function shade(plot: uPlot, { started_at: start, ended_at: end }: ActionEvent, colour: string): void {
  const { left, top, width, height } = plot.bbox;
  const clamp = (x: number): number => Math.min(Math.max(x, left), left + width);
  const from = clamp(plot.valToPos(millis(start) / 1000, 'x', true));
  const to = end === undefined ? left + width : clamp(plot.valToPos(millis(end) / 1000, 'x', true));
  plot.ctx.save();
  plot.ctx.fillStyle = colour;
  plot.ctx.fillRect(from, top, to - from, height);
  plot.ctx.restore();
}
