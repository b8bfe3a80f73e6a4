import { readFile } from 'node:fs/promises';
import { decodeText } from '../../core/decode-text.ts';
import { ActionstreamError, messageOf } from '../../core/errors.ts';

/** Gathers what is wrong with a list, so that one run names all of it. */
export interface ListProblems {
  /**
   * @param where line of the list, or the number of its entry; `column` names
   *   what is wrong, `remedy` says what to do
   */
  add(where: number | string, column: string, remedy: string): void;
  /**
   * @throws ActionstreamError INPUT_INVALID naming file, line and column of the
   *   first problems, where there are any
   */
  throwIfAny(): void;
}

/** More are counted only. */
const SHOWN = 5;

export function createListProblems(file: string): ListProblems {
  const problems: string[] = [];
  return {
    add(where, column, remedy) {
      problems.push(`${file}:${where}: ${column}: ${remedy}`);
    },
    throwIfAny() {
      if (problems.length === 0) return;
      const more = problems.length > SHOWN ? [`… and ${problems.length - SHOWN} more`] : [];
      throw new ActionstreamError('INPUT_INVALID', [...problems.slice(0, SHOWN), ...more].join('\n'));
    },
  };
}

/** The text of a list without byte order mark. @throws ActionstreamError INPUT_INVALID */
export async function readList(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new ActionstreamError('INPUT_INVALID', `${file}: cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return decodeText(bytes, file, 'INPUT_INVALID');
}

/** Lines that say something, trimmed, with their numbers from 1. */
export function linesOf(text: string): readonly { readonly line: number; readonly text: string }[] {
  return text
    .split(/\r\n|\n|\r/)
    .map((raw, index) => ({ line: index + 1, text: raw.trim() }))
    .filter((entry) => entry.text !== '');
}
