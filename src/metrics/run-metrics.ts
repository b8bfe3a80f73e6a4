import type { ClipStats, StreamDescription, StreamStatus } from '../core/records.ts';
import type { EngineScheduler } from '../inference/scheduler/engine-scheduler.ts';
import type { ClipStream } from '../ingest/types.ts';
import type { MediaCounts } from '../media/types.ts';
import type { AuditState } from '../pipeline/audit/stream-audit.ts';
import type { ComputeBudget } from '../pipeline/budget/compute-budget.ts';
import type { PipelineObserver, StreamJob } from '../pipeline/types.ts';
import type { EventSink } from '../sink/event-sink.ts';
import type { Journal } from '../sink/journal/types.ts';

/** What a run counts of itself, and what it reads where it is asked. */
export interface RunMetrics {
  /** Counts what it observes, and passes it on. */
  observing(observer: PipelineObserver | undefined): PipelineObserver;
  onStatus(status: StreamStatus): void;
  /** The stream was removed: its sums go. */
  forget(streamId: string): void;
  /** Reads the parts at this moment. */
  read(parts: RunParts): RunReading;
}

export interface RunParts {
  readonly version: string;
  readonly scheduler: Pick<EngineScheduler, 'info' | 'read'>;
  readonly budget: ComputeBudget;
  readonly journal: Pick<Journal, 'stats'>;
  readonly sinks: readonly Pick<EventSink, 'name' | 'foreignWrites'>[];
  /** Of the streams that there are at this moment. */
  readonly jobs: () => readonly CountedJob[];
  readonly reloads: () => ReloadState;
  /** Undefined where no Postgres is configured. */
  readonly upkeep: () => UpkeepState | undefined;
  readonly media?: { readonly read: () => MediaCounts };
}

/** What the program has done to its history in Postgres since it began. */
export interface UpkeepState {
  readonly succeeded: number;
  readonly failed: number;
  readonly droppedPartitions: number;
  readonly deletedRows: number;
}

/** How reading the configuration file again has ended so far. */
export interface ReloadState {
  readonly failures: number;
  readonly isLastGood: boolean;
  /** ms since 1970; the start counts. */
  readonly lastGoodMs: number;
}

interface CountedJob {
  readonly clips: Pick<ClipStream, 'streamId' | 'counters' | 'queue'>;
  readonly about?: StreamDescription;
  readonly audit?: Pick<NonNullable<StreamJob['audit']>, 'read'>;
}

/** What the metrics are read from: the run at one moment. */
export interface RunReading {
  readonly nowMs: number;
  readonly version: string;
  readonly engine: EngineScheduler['info'];
  readonly engines: ReturnType<EngineScheduler['read']>;
  readonly budget: ReturnType<ComputeBudget['read']>;
  readonly journal: ReturnType<Journal['stats']>;
  readonly sinks: RunParts['sinks'];
  readonly streams: readonly StreamReading[];
  readonly reloads: ReloadState;
  readonly upkeep: UpkeepState | undefined;
  readonly media?: MediaCounts;
  readonly events: readonly EventCount[];
}

export interface StreamReading
  extends Readonly<StreamSums>, Pick<ClipStream, 'streamId' | 'counters' | 'queue'> {
  readonly nowMs: number;
  readonly about?: StreamDescription;
  readonly audit?: AuditState;
}

interface EventCount {
  readonly label: string;
  readonly state: string;
  count: number;
}

/** Of one stream: sums over its processed clips, and its newest one. */
interface StreamSums {
  clips: number;
  inputSteps: number;
  keptSteps: number;
  readonly multiplyAdds: { used: number; dense: number; reused: number };
  newest?: { readonly ingestedAtMs: number; readonly delta: number | undefined };
  state?: StreamStatus['state'];
  /** Of the state. */
  reason?: string;
}

export function createRunMetrics(now: () => number = Date.now): RunMetrics {
  const streams = new Map<string, StreamSums>();
  const events = new Map<string, EventCount>();
  const sumsOf = (streamId: string): StreamSums => {
    const known = streams.get(streamId);
    if (known) return known;
    const fresh: StreamSums = {
      ...{ clips: 0, inputSteps: 0, keptSteps: 0 },
      multiplyAdds: { used: 0, dense: 0, reused: 0 },
    };
    streams.set(streamId, fresh);
    return fresh;
  };

  return {
    observing: (observer) => ({
      onClip(clip, scored, stats) {
        addClip(sumsOf(stats.stream_id), stats, scored.ingestedAtMs);
        observer?.onClip?.(clip, scored, stats);
      },
      onEvents(some) {
        for (const { label, state } of some) {
          const key = `${label} ${state}`;
          const known = events.get(key);
          if (known) known.count += 1;
          else events.set(key, { label, state, count: 1 });
        }
        observer?.onEvents?.(some);
      },
    }),
    onStatus({ stream_id: streamId, state, reason }) {
      if (state !== 'gap') Object.assign(sumsOf(streamId), { state, reason });
    },
    forget: (streamId) => {
      streams.delete(streamId);
    },
    read: ({ version, scheduler, budget, journal, sinks, jobs, reloads, upkeep, media }) => {
      const nowMs = now();
      return {
        ...{ nowMs, version, sinks },
        engine: scheduler.info,
        engines: scheduler.read(),
        budget: budget.read(),
        journal: journal.stats(),
        reloads: reloads(),
        upkeep: upkeep(),
        ...(media && { media: media.read() }),
        streams: jobs().map(({ clips: { streamId, counters, queue }, about, audit }) => {
          const state = audit?.read();
          const own = { nowMs, streamId, counters, queue, ...(about && { about }) };
          return { ...own, ...sumsOf(streamId), ...(state && { audit: state }) };
        }),
        events: [...events.values()],
      };
    },
  };
}

function addClip(sums: StreamSums, { compute }: ClipStats, ingestedAtMs: number): void {
  sums.clips += 1;
  sums.inputSteps += compute.input_steps;
  sums.keptSteps += compute.kept_steps;
  sums.multiplyAdds.used += compute.multiply_adds;
  sums.multiplyAdds.dense += compute.dense_multiply_adds;
  sums.multiplyAdds.reused += compute.reused_multiply_adds;
  sums.newest = { ingestedAtMs, delta: compute.delta };
}
