import { CsvError, parse, type Options } from 'csv-parse/sync';

import { ActionstreamError } from '../../core/errors.ts';

/** A row of a table with a header. */
export interface CsvRow {
  /** Where it starts, from 1. */
  readonly line: number;
  /** Trimmed; `''` where the row is too short or the table has no such column. */
  cell(column: string): string;
}

export interface CsvTable {
  /** In lower case. */
  readonly columns: readonly string[];
  readonly rows: readonly CsvRow[];
}

/**
 * Comma-separated values (RFC 4180: quotes, doubled quotes, line ends inside
 * quotes) with a header; blank lines do not count. A row has no more cells than the
 * header: one more is a comma that wants quotes. Cells at its end may be left out.
 * @throws ActionstreamError INPUT_INVALID for a quote that never ends, a column
 *   that the caller needs, one that stands there twice, or a row that is too long
 */
export function parseCsvTable(text: string, file: string, required: readonly string[]): CsvTable {
  const [header, ...body] = parseRecords(text, file).filter(({ cells }) => cells.some((cell) => cell !== ''));
  const columns = (header?.cells ?? []).map((name) => name.toLowerCase());
  const missing = required.filter((name) => !columns.includes(name));
  if (missing.length > 0) {
    throw new ActionstreamError(
      'INPUT_INVALID',
      `${file}:${header?.line ?? 1}: the header has no column ${missing.join(', ')}; it has ${columns.join(', ') || 'none'}`,
    );
  }
  const twice = columns.find((name, index) => name !== '' && columns.indexOf(name) !== index);
  if (twice !== undefined)
    throw odd(file, header?.line ?? 1, `the header has column ${twice} twice; leave one`);
  for (const { line, cells } of body) {
    if (cells.slice(columns.length).some((cell) => cell !== ''))
      throw odd(
        file,
        line,
        `has ${cells.length} cells, the header ${columns.length}; put cells with commas in quotes`,
      );
  }
  const rows = body.map(({ line, cells }) => ({
    line,
    cell: (column: string) => cells[columns.indexOf(column)] ?? '',
  }));
  return { columns, rows };
}

function odd(file: string, line: number, problem: string): ActionstreamError {
  return new ActionstreamError('INPUT_INVALID', `${file}:${line}: ${problem}`);
}

interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

const FORMAT: Options = {
  bom: true,
  info: true,
  record_delimiter: ['\r\n', '\n', '\r'],
  relax_column_count: true,
  trim: true,
};

function parseRecords(text: string, file: string): readonly CsvRecord[] {
  let line = 1;
  try {
    const records = parse(text, FORMAT) as unknown as {
      readonly info: { readonly lines: number };
      readonly record: readonly string[];
    }[];
    return records.map(({ info, record }) => {
      const first = line;
      line = info.lines + 1;
      return { line: first, cells: record };
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw odd(file, Number(error['lines']), error.message);
  }
}
