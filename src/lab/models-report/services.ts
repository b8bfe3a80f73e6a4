import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import { writeFigure } from '../plots/write-figure.ts';
import { reportFigures, type Accuracy } from './report-figures.ts';
import { reportJson } from './report-json.ts';
import type { Report } from './types.ts';

/** `report.json` and the plots of a report; returns the files. */
export async function writePlots(
  report: Report,
  accuracy: ReadonlyMap<string, Accuracy>,
  folder: string,
): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const json = path.join(folder, 'report.json');
  await writeFile(json, `${JSON.stringify(reportJson(report), null, 1)}\n`);
  const files = [json];
  for (const [name, figure] of reportFigures(report, accuracy)) {
    files.push(...(await writeFigure(folder, name, figure)));
  }
  return files;
}

const estimate = z.object({ value: z.number(), from: z.number(), to: z.number() });
const study = z.object({
  networks: z.array(
    z.object({ series: z.string(), order: z.string(), figures: z.object({ together: estimate }) }),
  ),
});

/** @throws ActionstreamError INPUT_INVALID where the file is not what `npm run study` writes */
export async function readAccuracy(file: string): Promise<ReadonlyMap<string, Accuracy>> {
  try {
    const { networks } = study.parse(JSON.parse(await readFile(file, 'utf8')));
    const inOrder = networks.filter(({ order }) => order === 'normal');
    return new Map(inOrder.map(({ series, figures }) => [series, figures.together]));
  } catch (error) {
    throw new ActionstreamError(
      'INPUT_INVALID',
      `${file}: not the JSON that npm run study writes (bench/results/study.json): ${messageOf(error)}`,
      { cause: error },
    );
  }
}
