import { drawBars, barPanelHeight } from './draw-bars.ts';
import { drawPoints } from './draw-points.ts';
import type { Figure, Panel } from './figure.ts';
import { coloursOf } from './palette.ts';
import { document, element, text } from './svg.ts';

const PANEL_WIDTH = 440;
const POINT_PANEL_HEIGHT = 330;
const GAP = 26;
const LEGEND_ROW = 20;

/** The figure as an SVG document, its legend above the panels. */
export function drawFigure(figure: Figure): string {
  const { panels } = figure;
  const columns = Math.min(figure.columns ?? panels.length, panels.length);
  const colours = coloursOf(panels.flatMap((panel) => panel.series.map((series) => series.name)));
  const width = GAP + columns * (PANEL_WIDTH + GAP);
  const top = figure.note === undefined ? 40 : 60;
  const legend = colours.size > 1 ? drawLegend(colours, { top, width }) : { parts: [], bottom: top };
  const parts = [text(GAP, 28, figure.title, { size: 16, bold: true }), ...legend.parts];
  if (figure.note !== undefined) parts.push(text(GAP, 47, figure.note, { size: 12, colour: '#666666' }));
  let y = legend.bottom;
  for (let row = 0; row < panels.length; row += columns) {
    const inRow = panels.slice(row, row + columns);
    const height = Math.max(...inRow.map(heightOf));
    inRow.forEach((panel, column) => {
      const box = { left: GAP + column * (PANEL_WIDTH + GAP), top: y, width: PANEL_WIDTH, height };
      parts.push(
        ...(panel.kind === 'bars' ? drawBars(panel, box, colours) : drawPoints(panel, box, colours)),
      );
    });
    y += height + GAP;
  }
  return document(width, y, parts);
}

function heightOf(panel: Panel): number {
  return panel.kind === 'bars' ? barPanelHeight(panel, PANEL_WIDTH) : POINT_PANEL_HEIGHT;
}

function drawLegend(
  colours: ReadonlyMap<string, string>,
  { top, width }: { readonly top: number; readonly width: number },
): { readonly parts: readonly string[]; readonly bottom: number } {
  const parts: string[] = [];
  let x = GAP;
  let y = top + 10;
  for (const [name, colour] of colours) {
    const taken = 24 + name.length * 7.4;
    if (x > GAP && x + taken > width - GAP) {
      x = GAP;
      y += LEGEND_ROW;
    }
    parts.push(element('rect', { x, y: y - 9, width: 10, height: 10, fill: colour }), text(x + 15, y, name));
    x += taken;
  }
  return { parts, bottom: y + LEGEND_ROW - 4 };
}
