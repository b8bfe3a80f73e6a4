/** A drawing on white; the fonts are those of the reader. */
export function drawing(width: number, height: number, parts: readonly string[]): string {
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...parts,
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}

export function text(
  x: number,
  y: number,
  content: string,
  style: {
    readonly anchor?: 'start' | 'middle' | 'end';
    readonly bold?: boolean;
    readonly colour?: string;
  } = {},
): string {
  const { anchor = 'start', bold = false, colour = '#333333' } = style;
  const weight = bold ? ' font-weight="bold"' : '';
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${colour}"${weight}>${content}</text>`;
}

export function box(
  x: number,
  y: number,
  size: { readonly width: number; readonly height: number },
  style: { readonly fill: string; readonly stroke?: string; readonly radius?: number },
): string {
  const { fill, stroke = 'none', radius = 0 } = style;
  const corners = `rx="${radius}" stroke="${stroke}"`;
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(size.width)}" height="${round(size.height)}" fill="${fill}" ${corners}/>`;
}

export function arrow(x1: number, y1: number, x2: number, y2: number): string {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const tip = (turn: number): string =>
    `${round(x2 - 8 * Math.cos(angle + turn))},${round(y2 - 8 * Math.sin(angle + turn))}`;
  return (
    `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="#555555" stroke-width="1.5"/>` +
    `<polygon points="${round(x2)},${round(y2)} ${tip(0.4)} ${tip(-0.4)}" fill="#555555"/>`
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
