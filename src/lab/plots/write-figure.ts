import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { drawFigure } from './draw-figure.ts';
import type { Figure } from './figure.ts';
import { renderPng } from './render-png.ts';

/** Writes `<folder>/<name>.svg` and `.png`; returns both paths. */
export async function writeFigure(folder: string, name: string, figure: Figure): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const svg = drawFigure(figure);
  const [svgFile, pngFile] = [path.join(folder, `${name}.svg`), path.join(folder, `${name}.png`)];
  await writeFile(svgFile, svg);
  await writeFile(pngFile, await renderPng(svg));
  return [svgFile, pngFile];
}
