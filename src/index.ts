// actionstream in a program of your own: docs/embedding.md.
import type { Writable } from 'node:stream';
import { firstValueFrom, Subject, type Observable } from 'rxjs';
import type { ServiceContext } from './app/context.ts';
import { run, type RunReport } from './app/run.ts';
import type { ActionEvent, ClipStats } from './core/records.ts';
import type { EngineInfo } from './inference/engine.ts';
import { programs, version } from './programs.ts';
import type { EventSink } from './sink/event-sink.ts';

export type { RunReport } from './app/run.ts';
export { ActionstreamError } from './core/errors.ts';
export type { ActionEvent, ClipStats, PublishedRecord, StreamStatus } from './core/records.ts';
export type { EngineInfo } from './inference/engine.ts';
export type { StreamOutcome } from './pipeline/types.ts';
export type { EventSink, StoredRecord } from './sink/event-sink.ts';

export interface PipelineOptions {
  /** A configuration file. */
  readonly configFile?: string;
  /** Settings with the keys of a configuration file (docs/config.md); they win over the file. */
  readonly settings?: object;
  /** Sinks of your own beside those that are configured: each takes every record, once or more, in order. */
  readonly sinks?: readonly EventSink[];
  /** Where the log goes, as JSON lines. Default: standard error. */
  readonly log?: Writable;
  /** Variables that `${NAME}` and ACTIONSTREAM_… mean. Default: those of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Streams to events, in this process; networks and decoders run in processes of their own. */
export interface Pipeline {
  /** Action events as they are journalled. They complete, or fail, with the run. */
  readonly events: Observable<ActionEvent>;
  /** What each clip scored and cost. They complete, or fail, with the run. */
  readonly clips: Observable<ClipStats>;
  /** Resolves once the model is warm, and rejects where the run ends before. */
  readonly ready: Promise<EngineInfo>;
  /**
   * Runs until the sources end or `stop` is called; once. Subscribe before.
   * @throws ActionstreamError CONFIG_INVALID and whatever else ends a start
   */
  run(): Promise<RunReport>;
  /** Ends episodes and delivers, within 15 s. `run` resolves then. */
  stop(): void;
}

/** Builds without I/O: everything begins with `run`. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const events = new Subject<ActionEvent>();
  const clips = new Subject<ClipStats>();
  const stop = new AbortController();
  const warm = new Subject<EngineInfo>();
  const ready = firstValueFrom(warm);
  // Whoever does not ask for it must not be ended by it.
  ready.catch(() => undefined);
  const request = {
    ...{ sources: [], login: {}, flags: options.settings ?? {}, sinks: options.sinks ?? [] },
    ...(options.configFile !== undefined && { configPath: options.configFile }),
  };
  const observer = {
    onReady: (info: EngineInfo) => {
      warm.next(info);
    },
    onClip: (_clip: unknown, _scored: unknown, stats: ClipStats) => {
      clips.next(stats);
    },
    onEvents: (some: readonly ActionEvent[]) => {
      for (const event of some) events.next(event);
    },
  };
  const all = [events, clips, warm] as const;
  return {
    events: events.asObservable(),
    clips: clips.asObservable(),
    ready,
    async run() {
      try {
        const report = await run(request, observer, contextOf(options, stop.signal));
        for (const subject of all) subject.complete();
        return report;
      } catch (error) {
        for (const subject of all) subject.error(error);
        throw error;
      }
    },
    stop() {
      stop.abort();
    },
  };
}

/** A pipeline owns no signal, no exit code and no standard output of the process that it runs in. */
function contextOf(
  { env = process.env, log = process.stderr }: PipelineOptions,
  signal: AbortSignal,
): ServiceContext {
  return {
    ...{ version, programs, env, signal, stderr: log, stdout: process.stdout },
    stdoutClosed: new AbortController().signal,
    outlive: () => undefined,
    onHangup: () => undefined,
    onPhase: () => undefined,
  };
}
