import type { Writable } from 'node:stream';
import type { Readable } from 'node:stream';

/** What a command may touch of the process; composition.ts passes the real one, tests pass their own. */
export interface CliIo {
  readonly stdin: Readable;
  /** Data only. */
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  /** Messages and progress. */
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts on SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  setExitCode(code: number): void;
}

export function printLine(stream: Writable, line: string): void {
  stream.write(`${line}\n`);
}

export function printJson(stream: Writable, value: unknown): void {
  printLine(stream, JSON.stringify(value));
}

/** Left-aligned columns, two spaces apart; numbers are to be given as text. */
export function printTable(stream: Writable, rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    printLine(
      stream,
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}
