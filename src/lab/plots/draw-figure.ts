import { drawBars, barPanelHeight } from './draw-bars.ts';
import { drawMatrix, matrixPanelHeight } from './draw-matrix.ts';
import { drawPoints, type Box } from './draw-points.ts';
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
  const colours = coloursOf(panels.flatMap(seriesNames));
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
      parts.push(...drawPanel(panel, box, colours));
    });
    y += height + GAP;
  }
  return document(width, y, parts);
}

function heightOf(panel: Panel): number {
  switch (panel.kind) {
    case 'points':
      return POINT_PANEL_HEIGHT;
    case 'bars':
      return barPanelHeight(panel, PANEL_WIDTH);
    case 'matrix':
      return matrixPanelHeight(panel, PANEL_WIDTH);
  }
}

function drawPanel(panel: Panel, box: Box, colours: ReadonlyMap<string, string>): readonly string[] {
  switch (panel.kind) {
    case 'points':
      return drawPoints(panel, box, colours);
    case 'bars':
      return drawBars(panel, box, colours);
    case 'matrix':
      return drawMatrix(panel, box);
  }
}

/** A matrix has no series: its labels are beside its cells. */
function seriesNames(panel: Panel): readonly string[] {
  return panel.kind === 'matrix' ? [] : panel.series.map(({ name }) => name);
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
