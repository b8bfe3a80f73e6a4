import type { EngineInfo } from '../inference/engine.ts';
import type { PipelineObserver, StreamOutcome } from '../pipeline/types.ts';

/** A configuration file, sources, or both; `flags` has the shape of the file and wins over it. */
export interface RunRequest {
  readonly configPath?: string;
  readonly sources: readonly string[];
  /** Of every source of the command line. */
  readonly login: { readonly username?: string; readonly password?: string };
  readonly flags: object;
}

export interface RunObserver extends PipelineObserver {
  onReady(info: EngineInfo, outlook: RunOutlook): void;
}

export interface RunOutlook {
  /** Length of each file by stream id, where known. */
  readonly durationsMs: ReadonlyMap<string, number>;
  /** NDJSON goes to standard output: nothing else may. */
  readonly ndjsonOnStdout: boolean;
}

export interface RunReport {
  readonly outcomes: readonly StreamOutcome[];
  /** Records that a sink has not accepted yet. */
  readonly undelivered: Readonly<Record<string, number>>;
  /** Records that a sink will never get, since they are damaged in the journal. */
  readonly unreadable: Readonly<Record<string, number>>;
}
