/** Elements of SVG as text. Numbers are rounded to a tenth of a pixel; text is escaped. */
type Attributes = Readonly<Record<string, string | number | undefined>>;

export function element(name: string, attributes: Attributes): string {
  const written = Object.entries(attributes).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [`${key}="${typeof value === 'number' ? rounded(value) : escaped(value)}"`];
  });
  return `<${name} ${written.join(' ')}/>`;
}

export interface TextOptions {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly size?: number;
  readonly bold?: boolean;
  readonly colour?: string;
  /** Degrees around the position. */
  readonly turn?: number;
}

export function text(x: number, y: number, content: string, options: TextOptions = {}): string {
  const { anchor = 'start', size = 12, bold = false, colour = '#333333', turn } = options;
  const weight = bold ? ' font-weight="bold"' : '';
  const turned = turn === undefined ? '' : ` transform="rotate(${turn} ${rounded(x)} ${rounded(y)})"`;
  return (
    `<text x="${rounded(x)}" y="${rounded(y)}" font-size="${size}" text-anchor="${anchor}" fill="${colour}"${weight}${turned}>` +
    `${escaped(content)}</text>`
  );
}

export function document(width: number, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="DejaVu Sans, Verdana, sans-serif">`,
    element('rect', { width, height, fill: '#ffffff' }),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
