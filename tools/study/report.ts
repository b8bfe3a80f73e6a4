import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import type { Figure } from '../../src/lab/plots/figure.ts';
import { writeFigure } from '../../src/lab/plots/write-figure.ts';
import { FAMILY } from './cases.ts';
import { compareAtEqualCost, type AtEqualCost } from './equal-cost.ts';
import type { StudyOptions } from './options.ts';
import { familyFigure, placementFigure, samplerFigures } from './plots.ts';
import { joinSeeds, summariseResults, type CaseResult, type ResultRow } from './results.ts';
import { equalCostTable, markdownTable } from './table.ts';
import type { TestVideo } from './videos.ts';

/** Series of the study at the place where SGS pays most, as a plot calls them. */
const STUDY_NAMES = {
  dense: 'dense',
  'uniform Conv_2b': 'uniform stride',
  'trained uniform Conv_2b': 'uniform stride, trained in',
  'untrained SGS Conv_2b': 'SGS untrained',
  'reference SGS Conv_2b': 'SGS reference, untrained',
  'trained SGS Conv_2b': 'SGS trained in',
};
const MODEL_NAMES = {
  dense: 'dense',
  uniform: 'uniform stride',
  'untrained SGS': 'SGS on pooled features',
  'reference SGS': 'SGS reference',
  'trained SGS': 'SGS ordered, trained',
};

/** What is compared at equal cost: the series of SGS that was trained in, and its rivals. */
const STUDY_RIVALS = {
  series: 'trained SGS Conv_2b',
  rivals: ['uniform Conv_2b', 'trained uniform Conv_2b', 'untrained SGS Conv_2b', 'reference SGS Conv_2b'],
};
const MODEL_RIVALS = { series: 'trained SGS', rivals: ['uniform', 'untrained SGS', 'reference SGS'] };

/** Writes `<name>.json` and `<name>.md` with all figures, and the plots as SVG and PNG. */
export async function writeReport(
  results: readonly CaseResult[],
  videos: readonly TestVideo[],
  options: StudyOptions,
): Promise<void> {
  const isFamily = ({ case: { series } }: CaseResult): boolean => FAMILY.some((name) => name === series);
  const family = results.filter(isFamily);
  const samplers = results.filter((result) => !isFamily(result));
  const familyRows = family.length === 0 ? [] : rowsOf(family, videos, 's3d-g').rows;
  const { rows: samplerRows, atEqualCost } = samplersOf(samplers, videos, options);
  await mkdir(options.results, { recursive: true });
  const facts = factsOf(results, videos, options);
  const file = (extension: string): string => path.join(options.results, `${options.name}.${extension}`);
  await writeFile(
    file('json'),
    `${JSON.stringify({ ...facts, networks: familyRows, samplers: samplerRows, atEqualCost }, null, 1)}\n`,
  );
  await writeFile(file('md'), pageOf(options.name, facts, { familyRows, samplerRows, atEqualCost }));
  const written = [file('json'), file('md')];
  for (const [name, figure] of figuresOf(familyRows, samplerRows, facts.note, options)) {
    written.push(...(await writeFigure(options.images, name, figure)));
  }
  process.stdout.write(`${written.map((name) => path.relative(process.cwd(), name)).join('\n')}\n`);
}

function rowsOf(results: readonly CaseResult[], videos: readonly TestVideo[], baseSeries: string) {
  const { joined, base } = joinSeeds(results, videos, baseSeries);
  return { joined, base, rows: summariseResults(joined, base) };
}

function samplersOf(
  results: readonly CaseResult[],
  videos: readonly TestVideo[],
  { model }: StudyOptions,
): { readonly rows: readonly ResultRow[]; readonly atEqualCost: readonly AtEqualCost[] } {
  if (results.length === 0) return { rows: [], atEqualCost: [] };
  const { joined, base, rows } = rowsOf(results, videos, 'dense');
  const atEqualCost = compareAtEqualCost(joined, base, model === undefined ? STUDY_RIVALS : MODEL_RIVALS);
  return { rows, atEqualCost };
}

interface Facts {
  readonly note: string;
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly threads: number;
  readonly seeds: readonly number[];
  readonly videos: Readonly<Record<string, number>>;
}

function factsOf(
  results: readonly CaseResult[],
  videos: readonly TestVideo[],
  { model, split, threads }: StudyOptions,
): Facts {
  const seeds = [...new Set(results.map((result) => result.case.seed))];
  const count = (task: TestVideo['task']): number => videos.filter((video) => video.task === task).length;
  const weights = model === undefined ? `${seeds.length} seeds` : path.basename(model);
  return {
    note:
      `${weights}; ${split}: ${count('fight')} fight clips, ${count('interaction')} interactions, ` +
      `${count('indoor')} long videos; 95 % intervals by bootstrap`,
    date: new Date().toISOString().slice(0, 10),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    machine: `${cpus()[0]?.model.trim() ?? 'CPU'} × ${availableParallelism()}, Node ${process.version}`,
    threads,
    seeds,
    videos: { fight: count('fight'), interaction: count('interaction'), indoor: count('indoor') },
  };
}

function pageOf(
  name: string,
  { note, date, commit, machine, threads }: Facts,
  {
    familyRows: family,
    samplerRows: samplers,
    atEqualCost,
  }: {
    readonly familyRows: readonly ResultRow[];
    readonly samplerRows: readonly ResultRow[];
    readonly atEqualCost: readonly AtEqualCost[];
  },
): string {
  const parts = [
    `# ${name}: all figures`,
    `Written by \`npm run study\` on ${date}, commit ${commit}, ${machine}, engine threads ${threads}. ${note}. Method: docs/study.md.`,
  ];
  if (family.length > 0) {
    parts.push('## Networks', '"Dense" in this table is S3D-G.', markdownTable(family));
  }
  if (samplers.length > 0) parts.push('## Sampling', markdownTable(samplers));
  if (atEqualCost.length > 0) {
    parts.push(
      '## Trained SGS above its rivals at equal cost',
      "The rival's curve at the same multiply-adds, a straight line between its points and dense; its cheapest point where that costs more.",
      equalCostTable(atEqualCost),
    );
  }
  return `${parts.join('\n\n')}\n`;
}

function figuresOf(
  family: readonly ResultRow[],
  samplers: readonly ResultRow[],
  note: string,
  { name, model }: StudyOptions,
): readonly (readonly [string, Figure])[] {
  const figures: [string, Figure][] = [];
  if (samplers.length > 0) {
    const names = model === undefined ? STUDY_NAMES : MODEL_NAMES;
    const title = model === undefined ? 'S3D-G, sampling after Conv_2b' : path.basename(model);
    const { multiplyAdds, time } = samplerFigures(samplers, names, { title, note });
    figures.push([`${name}-multiply-adds`, multiplyAdds]);
    if (time) figures.push([`${name}-time`, time]);
    if (model === undefined) figures.push([`${name}-placements`, placementFigure(samplers, note)]);
  }
  if (family.length > 0) figures.push([`${name}-networks`, familyFigure(family, note)]);
  return figures;
}
