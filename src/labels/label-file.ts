import { ActionstreamError } from '../core/errors.ts';
import { decodeText } from '../core/decode-text.ts';

/** Labels of a file, by class. */
export interface LabelFile {
  readonly labels: readonly string[];
  /** How the file was read, where that is more than one label a line. */
  readonly note?: string;
}

/**
 * A file of class names as tools write them: one label a line in the order of the classes;
 * lines of number and label, or label and number, between commas, tabs, semicolons, colons or
 * (number first) blanks, with or without a header; or JSON, a list or an object. Numbers must
 * count the classes from 0 or 1. Anything else is refused: a wrong label would be believed.
 * @throws ActionstreamError INPUT_INVALID naming file, line and what is expected
 */
export function parseLabelFile(bytes: Uint8Array, file: string): LabelFile {
  const text = decodeText(bytes, file, 'INPUT_INVALID');
  const read = /^\s*[[{]/.test(text) ? fromJson(text, file) : fromLines(text, file);
  if (read.labels.length === 0) throw invalid(file, `is empty; ${EXPECTED}`);
  for (const [index, label] of read.labels.entries()) {
    const place = `${file}: class ${index}`;
    if (label === '') throw invalid(place, 'has no label');
    if (/\p{Cc}/u.test(label)) throw invalid(place, `${JSON.stringify(label)} holds a control character`);
    const before = read.labels.indexOf(label);
    if (before < index)
      throw invalid(place, `is "${label}", as class ${before} is; number them, such as "${label} 2"`);
  }
  return read;
}

const EXPECTED = 'expected one label a line, in the order of the classes';

function fromJson(text: string, file: string): LabelFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(file, `begins as JSON and is none; ${EXPECTED}`, error);
  }
  if (Array.isArray(value) && value.every((label) => typeof label === 'string'))
    return { labels: value.map((label) => label.trim()), note: 'read as a JSON list of labels' };
  const pairs = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (pairs.length > 0 && pairs.every(([, index]) => typeof index === 'number'))
    return {
      labels: ordered(
        pairs.map(([label, index]) => [index as number, label.trim()]),
        file,
      ),
      note: 'read as JSON of labels and class numbers',
    };
  if (pairs.length > 0 && pairs.every(([index, label]) => /^\d+$/.test(index) && typeof label === 'string'))
    return {
      labels: ordered(
        pairs.map(([index, label]) => [Number(index), (label as string).trim()]),
        file,
      ),
      note: 'read as JSON of class numbers and labels',
    };
  throw invalid(
    file,
    `is JSON, but neither a list of labels nor labels with their class numbers; ${EXPECTED}`,
  );
}

/** `0,fight`, `0: fight`, `1 fight`. */
const NUMBER_FIRST = /^(\d+)\s*(?:[,;:\t]\s*|\s+)(\S.*)$/;
/** `fight,0`: a blank does not count, since `person 2` is a label. */
const NUMBER_LAST = /^(.*\S)\s*[,;:\t]\s*(\d+)$/;
const HEADER =
  /^"?(id|index|idx|no|class|class_?id|label|label_?id|name|class_?name|action)"?\s*[,;\t]\s*"?\w+"?$/i;

function fromLines(text: string, file: string): LabelFile {
  const rows = text.split(/\r\n|\n|\r/).map((line, index) => ({ line: index + 1, text: line.trim() }));
  while (rows.at(-1)?.text === '') rows.pop();
  if (rows.length === 0) return { labels: [] };
  for (const row of rows) {
    if (row.text === '')
      throw invalid(`${file}:${row.line}`, 'is empty; delete the line, or write the label of its class');
    if (row.text.startsWith('#')) throw invalid(`${file}:${row.line}`, `is a comment; ${EXPECTED}`);
  }
  const body = HEADER.test(rows[0]?.text ?? '') ? rows.slice(1) : rows;
  for (const [pattern, numberAt] of [
    [NUMBER_FIRST, 1],
    [NUMBER_LAST, 2],
  ] as const) {
    const matches = body.map((row) => pattern.exec(row.text));
    if (body.length === 0 || !matches.every((match) => match !== null)) continue;
    const pairs = matches.map((match): readonly [number, string] => [
      Number(match[numberAt]),
      unquoted(match[3 - numberAt] ?? '', file),
    ]);
    return {
      labels: ordered(pairs, file),
      note: 'its numbers are taken as class numbers, not as part of the labels',
    };
  }
  return { labels: rows.map((row) => plainLabel(row, file)) };
}

function plainLabel({ line, text }: { readonly line: number; readonly text: string }, file: string): string {
  const place = `${file}:${line}`;
  if (/\t/.test(text)) throw invalid(place, `"${text}" holds a tab; ${EXPECTED}`);
  if (/^\d+\s*[,;:]|[,;:]\s*\d+$/.test(text))
    throw invalid(place, `"${text}" has a number, and other lines have none; ${EXPECTED}`);
  if (/^[-\w]+:$|^-\s/.test(text)) throw invalid(place, `"${text}" is YAML; ${EXPECTED}`);
  return unquoted(text, place);
}

function unquoted(text: string, place: string): string {
  const inner = /^"((?:[^"]|"")*)"$/.exec(text)?.[1];
  if (inner !== undefined) return inner.replaceAll('""', '"').trim();
  if (text.startsWith('"')) throw invalid(place, `${text} opens a quote and does not close it`);
  return text.trim();
}

/** Labels by their numbers, which count from 0 or 1 without a gap. */
function ordered(
  pairs: readonly (readonly [index: number, label: string])[],
  file: string,
): readonly string[] {
  const sorted = [...pairs].sort(([a], [b]) => a - b);
  const first = sorted[0]?.[0] ?? 0;
  sorted.forEach(([index], place) => {
    if ((first !== 0 && first !== 1) || index !== first + place)
      throw invalid(file, `its class numbers must count from 0 or 1 without a gap, and ${index} breaks that`);
  });
  return sorted.map(([, label]) => label);
}

function invalid(place: string, problem: string, cause?: unknown): ActionstreamError {
  return new ActionstreamError('INPUT_INVALID', `labels ${place}: ${problem}`, { cause });
}
