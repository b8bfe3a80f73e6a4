import { ActionstreamError } from '../core/errors.ts';

/** Which page: the first rows, or those behind the cursor of the page before. */
export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string;
}

/** The values of a statement, and the place of each in its text: `$1`, `$2`, … */
export function statementValues(): {
  readonly values: unknown[];
  readonly place: (value: unknown) => string;
} {
  const values: unknown[] = [];
  return { values, place: (value) => `$${values.push(value)}` };
}

/** The rows of a page, and its cursor where one more row than `limit` was read. */
export function pageOf<Row>(
  rows: readonly Row[],
  { limit }: PageRequest,
  keyOf: (row: Row) => string,
): { readonly rows: readonly Row[]; readonly cursor?: string } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  if (rows.length <= limit || last === undefined) return { rows: shown };
  return { rows: shown, cursor: Buffer.from(keyOf(last)).toString('base64url') };
}

/**
 * The groups of a cursor's key, of which the first is a time.
 * @throws USAGE on a foreign cursor
 */
export function keyOfCursor(cursor: string, form: RegExp): readonly string[] {
  const parts = form.exec(Buffer.from(cursor, 'base64url').toString('utf8'))?.slice(1);
  if (parts && !Number.isNaN(Date.parse(parts[0] ?? ''))) return parts;
  throw new ActionstreamError(
    'USAGE',
    'the cursor is not one of ours; use the one that the last page returned',
  );
}
