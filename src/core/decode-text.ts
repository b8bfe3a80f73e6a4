import { ActionstreamError, type ErrorCode } from './errors.ts';

/**
 * The text of a file that a person or another tool wrote: UTF-8, or UTF-16
 * where a byte order mark says so. The mark is left out.
 * @throws ActionstreamError with `code`, naming file, line and remedy where the bytes are no such text
 */
export function decodeText(bytes: Uint8Array, file: string, code: ErrorCode): string {
  const encoding = encodingOf(bytes);
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    const nul = text.indexOf('\0');
    if (nul < 0) return text;
    throw refusal(file, code, `${lineAt(text.slice(0, nul))}: holds a zero byte, so it is no text`);
  } catch (error) {
    if (error instanceof ActionstreamError) throw error;
    const place = encoding === 'utf-8' ? lineAt(leadingText(bytes)) : '1';
    throw refusal(file, code, `${place}: is not ${encoding.toUpperCase()}`);
  }
}

function encodingOf([first, second]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return 'utf-8';
}

/** What can be decoded, up to the first byte that cannot. */
function leadingText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8').decode(bytes).split('\uFFFD', 1)[0] ?? '';
}

function lineAt(before: string): string {
  return String(before.split('\n').length);
}

function refusal(file: string, code: ErrorCode, problem: string): ActionstreamError {
  return new ActionstreamError(code, `${file}:${problem}; save it as UTF-8 text`);
}
