import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { isDark } from './theme.ts';

export interface Colours {
  readonly text: string;
  readonly line: string;
  readonly kept: string;
  readonly faint: string;
  readonly saved: string;
  readonly bad: string;
}

interface ChartProps {
  /** For whoever does not see it. */
  readonly label: string;
  readonly height: number;
  readonly data: uPlot.AlignedData;
  /** The x axis from and to, in seconds. */
  readonly range: readonly [from: number, to: number];
  readonly options: (colours: Colours) => Omit<uPlot.Options, 'width' | 'height'>;
  /** Index of the value under the pointer; undefined where it left. */
  readonly onPoint?: (index: number | undefined) => void;
}

/** A uPlot chart as wide as its place, drawn anew when the theme changes. */
export function Chart({ label, height, data, range, options, onPoint }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>();
  const newest = useRef({ data, range, onPoint });
  newest.current = { data, range, onPoint };
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const { scales, hooks, ...other } = options(coloursOf(element));
    const plot = new uPlot(
      {
        ...{ width: element.clientWidth, height, legend: { show: false }, ...other },
        scales: { ...scales, x: { time: true, ...scales?.['x'], range: () => [...newest.current.range] } },
        hooks: { ...hooks, setCursor: [({ cursor: { idx } }) => newest.current.onPoint?.(idx ?? undefined)] },
      },
      newest.current.data,
      element,
    );
    chart.current = plot;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) plot.setSize({ width: element.clientWidth, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [isDark.value, height]);
  useEffect(() => {
    chart.current?.setData(data);
  }, [data, range[0], range[1]]);
  return <div ref={place} class="chart" role="img" aria-label={label} />;
}

/** Of the theme, as a canvas takes them. */
function coloursOf(place: HTMLElement): Colours {
  const probe = document.createElement('i');
  place.append(probe);
  const colour = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    ...{ text: colour('soft'), line: colour('line'), kept: colour('kept'), faint: colour('faint') },
    ...{ saved: colour('saved'), bad: colour('bad') },
  };
  probe.remove();
  return colours;
}

const FONT = '12px "Inter Variable", system-ui, sans-serif';

/** An axis in the style of the page. @param size width or height in pixels, for the page's width */
export function axis(colours: Colours, size: number | (() => number), more: uPlot.Axis = {}): uPlot.Axis {
  return {
    ...{ size, font: FONT, stroke: colours.text, gap: 6 },
    grid: { stroke: colours.line, width: 1 },
    ticks: { show: false },
    ...more,
  };
}

/** Widths beside the plot, so that what stands above it has the same place in time. */
export function gutters(): { readonly left: number; readonly right: number } {
  const style = getComputedStyle(document.documentElement);
  return {
    left: Number.parseFloat(style.getPropertyValue('--gutter')),
    right: Number.parseFloat(style.getPropertyValue('--gutter-right')),
  };
}
