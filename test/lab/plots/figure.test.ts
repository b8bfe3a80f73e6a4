import { describe, expect, test } from 'vitest';
import { drawFigure } from '../../../src/lab/plots/draw-figure.ts';
import type { BarPanel, Figure, PointPanel } from '../../../src/lab/plots/figure.ts';
import { renderPng } from '../../../src/lab/plots/render-png.ts';
import { scaleOf } from '../../../src/lab/plots/ticks.ts';

const points: PointPanel = {
  kind: 'points',
  title: 'short clips',
  x: { label: 'cost', from: 0 },
  y: { label: 'right' },
  series: [
    { name: 'dense', line: false, points: [{ x: 1, y: 0.9, yFrom: 0.8, yTo: 0.95 }] },
    { name: 'sampled', line: true, points: [0.2, 0.5, 0.8].map((x) => ({ x, y: 0.7 + x / 5 })) },
  ],
};
const bars: BarPanel = {
  kind: 'bars',
  title: 'time',
  x: { label: 'ms' },
  categories: ['a', 'b'],
  series: [{ name: 'sampled', bars: [{ value: 3, from: 2, to: 4 }, { value: 1 }] }],
};
const figure: Figure = { title: 'Cost & <benefit> "δ"', note: 'n = 3', panels: [points, bars] };

describe('a figure as SVG', () => {
  test('is the same text each time, with every letter of ours escaped', () => {
    const svg = drawFigure(figure);

    expect(drawFigure(figure)).toBe(svg);
    expect(svg).toContain('Cost &amp; &lt;benefit&gt; &quot;δ&quot;');
  });

  test('gives a series one colour in all panels, and a line only where it asks for one', () => {
    const svg = drawFigure(figure);
    const colours = (shape: string): string[] =>
      [...svg.matchAll(new RegExp(`<${shape} [^>]*fill="(#[0-9a-f]{6})"`, 'g'))].map((match) => match[1]!);
    const [dense, ...sampled] = colours('circle');

    expect(new Set(sampled).size).toBe(1);
    expect(sampled[0]).not.toBe(dense);
    expect(colours('rect').filter((colour) => colour === sampled[0])).toHaveLength(1 + 2);
    expect(svg.match(/<polyline/g)).toHaveLength(1);
  });

  test('places a bar by its value: three times the value, three times the width', () => {
    const svg = drawFigure({ title: '', panels: [bars] });
    const widths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)" height="11"/g)].map((match) =>
      Number(match[1]),
    );

    expect(widths).toHaveLength(2);
    expect(widths[0]! / widths[1]!).toBeCloseTo(3, 1);
  });

  test('keeps ticks and axis label inside the picture however long the captions are', () => {
    const caption = 'compiled, frozen, channels last, with another allocator';
    const long: BarPanel = {
      ...bars,
      x: { label: 'ms a clip (median, least to most)' },
      categories: ['a', caption],
    };
    const svg = drawFigure({ title: '', panels: [long] });
    const width = Number(/width="(\d+)"/.exec(svg)?.[1]);
    const at = (label: string): number =>
      Number(new RegExp(`<text x="([\\d.]+)"[^>]*>${label.replace(/[()]/g, '\\$&')}</text>`).exec(svg)?.[1]);

    // Letters of 12 pixels are about 7 wide; the label stands in the middle of its place.
    expect(at(long.x.label) + (7 * long.x.label.length) / 2).toBeLessThanOrEqual(width);
    expect(at('2') - at('0')).toBeGreaterThan(100);
  });

  test('leaves out a value that is missing', () => {
    const missing: BarPanel = {
      ...bars,
      series: [{ name: 'x', bars: [{ value: Number.NaN }, { value: 1 }] }],
    };

    expect(drawFigure({ title: '', panels: [missing] })).not.toContain('NaN');
  });
});

describe('a figure as PNG', () => {
  const small = (title: string): Figure => ({
    title,
    panels: [{ ...bars, title: '', categories: ['', ''] }],
  });

  test('has twice the pixels of the SVG, and letters without any font of the machine', async () => {
    const png = Buffer.from(await renderPng(drawFigure(small('title'))));
    const untitled = Buffer.from(await renderPng(drawFigure(small(''))));

    expect(png.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
    const [, width] = /width="(\d+)"/.exec(drawFigure(small(''))) ?? [];
    expect(png.readUInt32BE(16)).toBe(2 * Number(width));
    expect(png.equals(untitled)).toBe(false);
  });
});

describe('ticks', () => {
  test.each([
    [
      [0, 0.97],
      [0, 0.2, 0.4, 0.6, 0.8, 1],
    ],
    [
      [12, 78],
      [0, 20, 40, 60, 80],
    ],
    [[0.30000000000000004], [0.3, 0.4, 0.5, 0.6]],
  ])('%j are round numbers around the values', (values, ticks) => {
    expect(scaleOf(values).ticks).toEqual(ticks);
  });

  test('keep an end that is given', () => {
    expect(scaleOf([3, 8], { from: 0, to: 10 })).toMatchObject({ from: 0, to: 10 });
  });
});

test('a matrix has a cell a pair of labels; a count is written where there is one, darker with its share of the row', () => {
  const counts = [
    [9, 1],
    [0, 0],
  ];
  const panel = { kind: 'matrix', title: 'M', labels: ['walk', 'a label of many letters'], counts } as const;

  const svg = drawFigure({ title: 'T', panels: [{ ...panel, rows: 'truth', columns: 'said' }] });

  const shades = [...svg.matchAll(/<rect [^>]*opacity="([\d.]+)"/g)].map(([, opacity]) => Number(opacity));
  expect(shades).toEqual([0.9, 0.1, 0, 0]);
  expect([...svg.matchAll(/>(\d+)<\/text>/g)].map(([, count]) => count)).toEqual(['9', '1']);
  expect(svg).toContain('a label of many l…');
  expect(svg).not.toContain('NaN');
});
