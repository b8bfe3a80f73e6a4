import type { Clip } from '../core/frame.ts';
import type { ActionEvent, ClipStats, StreamDescription, StreamStatus } from '../core/records.ts';
import type { EngineInfo } from '../inference/engine.ts';
import type { SourceReport } from '../ingest/index.ts';
import type { MediaReader } from '../media/types.ts';
import type { RunReading } from '../metrics/run-metrics.ts';
import type { StreamState } from '../pipeline/stream-set.ts';
import type { PipelineObserver } from '../pipeline/types.ts';
import type { Journal } from '../sink/journal/types.ts';
import type { Feedback, GivenFeedback } from '../sink/postgres/feedback.ts';
import type { PostgresReader } from '../sink/postgres/reader.ts';

/** What the API reads of a run, and what it may change there. */
export interface RunView {
  readonly instance: string;
  /** At this moment. */
  readonly streams: readonly StreamSource[];
  readonly changes: StreamChanges;
  readonly engine: EngineInfo;
  readonly journal: Pick<Journal, 'stats' | 'read' | 'waitFor' | 'nextOffset' | 'failed' | 'openEpisodes'>;
  readonly newest: NewestOfStreams;
  /** Counters of the run at this moment. */
  readonly reading: () => RunReading;
  /** Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  /** Connects on first use; absent where no Postgres is configured. */
  readonly history?: () => Promise<PostgresReader>;
  /** Keeps what somebody says of an episode; absent where no Postgres is configured. */
  readonly giveFeedback?: (given: GivenFeedback) => Promise<Feedback>;
  /** Absent: no video is kept. */
  readonly media?: MediaReader;
  /** Free of secrets. */
  readonly settings: readonly ShownSetting[];
}

/**
 * What may be changed of the streams while they run. Each resolves once it is kept and brought about, or
 * after a few seconds. Each rejects with a Problem where nothing was changed.
 */
export interface StreamChanges {
  /** @returns the id of the stream */
  add(written: unknown): Promise<string>;
  /** @param patch a JSON merge patch */
  change(streamId: string, patch: unknown): Promise<void>;
  remove(streamId: string): Promise<void>;
  probe(written: unknown): Promise<SourceReport>;
}

/** A setting, its effective value and where that came from. */
export interface ShownSetting {
  readonly key: string;
  readonly value: unknown;
  readonly origin: string;
}

export interface StreamSource {
  readonly streamId: string;
  readonly about?: StreamDescription;
  /** May hold a login: never shown as it is. */
  readonly url: string;
  readonly kind: 'live' | 'file';
  /** `elsewhere`: another worker of the fleet runs it, or nobody yet. */
  readonly state: StreamState | 'elsewhere';
  /** Who declared it. */
  readonly origin: 'file' | 'command_line' | 'api';
  /** Settings of the file were changed through the API. */
  readonly changed: boolean;
}

/** The last thing that each stream told of itself, and its newest scored clip. */
export class NewestOfStreams {
  readonly #streams = new Map<string, NewestOfStream>();

  of(streamId: string): NewestOfStream {
    const known = this.#streams.get(streamId);
    if (known) return known;
    const fresh: NewestOfStream = {};
    this.#streams.set(streamId, fresh);
    return fresh;
  }

  onStatus(status: StreamStatus): void {
    if (status.state !== 'gap') this.of(status.stream_id).status = status;
  }

  forget(streamId: string): void {
    this.#streams.delete(streamId);
  }

  /** Sees what is observed, and passes it on. */
  observing(observer: PipelineObserver): PipelineObserver {
    return {
      onClip: (clip, scored, stats) => {
        const newest = this.of(stats.stream_id);
        newest.stats = stats;
        newest.frame = clip.frames.at(-1);
        observer.onClip?.(clip, scored, stats);
      },
      onEvents: (events: readonly ActionEvent[]) => observer.onEvents?.(events),
    };
  }
}

export interface NewestOfStream {
  status?: StreamStatus;
  stats?: ClipStats;
  /** The last frame of the newest scored clip, as the network saw it. */
  frame?: Clip['frames'][number] | undefined;
}
