import path from 'node:path';
import { parseCsvTable, type CsvRow } from './csv-table.ts';
import { createListProblems, readList, type ListProblems } from './list-problems.ts';
import type { ClipList, LabelledClip } from './types.ts';

const NEEDED = ['dataset', 'path', 'label'];

/**
 * Our own form: one row a labelled clip or segment, columns dataset, path (absolute, or relative to
 * the manifest), label (several between `|`), and where known start_s, end_s, split and group; other
 * columns do not matter. Rows of the same piece of the same video make one clip with all their labels.
 * @throws ActionstreamError INPUT_INVALID naming line and column
 */
export async function readManifest(file: string): Promise<ClipList> {
  const table = parseCsvTable(await readList(file), file, NEEDED);
  const problems = createListProblems(file);
  const clips = table.rows.map((row) => clipOf(row, path.dirname(file), problems));
  problems.throwIfAny();
  return { clips: joinLabels(clips), absent: [] };
}

/** How tables say that they do not know. */
const UNKNOWN = /^(nan|none|null|-)?$/i;

function clipOf(row: CsvRow, folder: string, problems: ListProblems): LabelledClip {
  for (const column of NEEDED) {
    if (row.cell(column) === '') problems.add(row.line, `column ${column}`, 'is empty; every row needs one');
  }
  const startS = seconds(row, 'start_s', problems);
  const endS = seconds(row, 'end_s', problems);
  if (endS !== undefined && endS <= (startS ?? 0)) {
    problems.add(
      row.line,
      'column end_s',
      `${endS} is not after start_s (${startS ?? 0}); an interval has a length`,
    );
  }
  const name = row.cell('path');
  const group = row.cell('group');
  return {
    dataset: row.cell('dataset'),
    path: path.resolve(folder, name),
    name,
    labels: row
      .cell('label')
      .split('|')
      .map((label) => label.trim()),
    ...(startS !== undefined && { startS }),
    ...(endS !== undefined && { endS }),
    split: row.cell('split'),
    ...(group !== '' && { group }),
  };
}

function seconds(row: CsvRow, column: string, problems: ListProblems): number | undefined {
  const text = row.cell(column);
  if (UNKNOWN.test(text)) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  problems.add(
    row.line,
    `column ${column}`,
    `"${text}" is no time in seconds; leave it empty for the whole video`,
  );
  return undefined;
}

function joinLabels(clips: readonly LabelledClip[]): readonly LabelledClip[] {
  const joined = new Map<string, LabelledClip>();
  for (const clip of clips) {
    const key = JSON.stringify([clip.dataset, clip.path, clip.startS, clip.endS, clip.split]);
    const labels = [...new Set([...(joined.get(key)?.labels ?? []), ...clip.labels])];
    joined.set(key, { ...clip, labels });
  }
  return [...joined.values()];
}
