/** What every part of a benchmark needs. */
export interface BenchContext {
  readonly threads: number;
  /** Absent: our own part only. */
  readonly peer?: { readonly python: string; readonly script: string };
  /** Videos of fixed cameras, for the streams. */
  readonly videos: readonly string[];
  /** The built program, dist/main.js. */
  readonly mainPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}
