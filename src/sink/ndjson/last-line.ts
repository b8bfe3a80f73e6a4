import { open } from 'node:fs/promises';

/** What a file that lines are appended to ends with. */
export interface LastLine {
  /** Where a torn line of ours begins: it goes, since its batch was never acknowledged. */
  readonly cutTo?: number;
  /** The last line is whole, or nobody's we know, and lacks its end. */
  readonly needsNewLine: boolean;
}

// A longer line is not ours to cut.
const LONGEST_LINE = 4 * 1024 * 1024;

export async function lastLineOf(path: string): Promise<LastLine> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return { needsNewLine: false };
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - LONGEST_LINE);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const tail = buffer.subarray(0, bytesRead);
    const begin = tail.lastIndexOf('\n') + 1;
    const line = tail.subarray(begin).toString('utf8');
    if (line === '') return { needsNewLine: false };
    const isOurs = line.startsWith('{"type":"') || '{"type":"'.startsWith(line);
    const isWholeLine = begin > 0 || from === 0;
    if (isOurs && isWholeLine && !isJson(line)) return { cutTo: from + begin, needsNewLine: false };
    return { needsNewLine: true };
  } finally {
    await file.close();
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
