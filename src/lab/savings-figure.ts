import type { SavingsReport } from '../app/savings.ts';
import { savedRatio } from '../sink/history.ts';
import type { BarPanel, Figure } from './plots/figure.ts';

/** Share of the multiply-adds that was saved: by stream, most first, and by day, oldest first. */
export function savingsFigure({ clips, from, to, streams, days, saved_ratio }: SavingsReport): Figure {
  const dates = [...new Set(days.map(({ day }) => day))];
  const ratioOf = (date: string): number => {
    const parts = days.filter(({ day }) => day === date);
    const sum = (field: 'multiply_adds' | 'dense_multiply_adds'): number =>
      parts.reduce((total, part) => total + part[field], 0);
    return savedRatio({
      multiply_adds: sum('multiply_adds'),
      dense_multiply_adds: sum('dense_multiply_adds'),
    });
  };
  return {
    title: `${(100 * saved_ratio).toFixed(0)} % of the multiply-adds were saved`,
    note: `${clips} clips, ${from ?? ''} to ${to ?? ''} (UTC)`,
    panels: [
      panelOf(
        'by stream',
        streams.map(({ stream_id: id, saved_ratio: ratio }) => [id, ratio]),
      ),
      panelOf(
        'by day',
        dates.map((date) => [date, ratioOf(date)]),
      ),
    ],
  };
}

function panelOf(title: string, rows: readonly (readonly [name: string, ratio: number])[]): BarPanel {
  return {
    kind: 'bars',
    title,
    x: { label: 'saved, %', from: 0, to: 100 },
    categories: rows.map(([name]) => name),
    series: [{ name: 'saved', bars: rows.map(([, ratio]) => ({ value: 100 * ratio })) }],
  };
}
