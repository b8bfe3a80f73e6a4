import type { Readable, Writable } from 'node:stream';
import type { ServiceContext } from '../app/context.ts';

/** What a command may touch of the process; composition.ts passes the real one. */
export interface CliIo extends ServiceContext {
  readonly stdin: Readable;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  setExitCode(code: number): void;
}

type Terminal = Writable & { readonly isTTY?: boolean; readonly columns?: number };

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
