import type { Clip } from '../core/frame.ts';
import type { ActionEvent, ClipStats, StreamStatus } from '../core/records.ts';
import type { EngineInfo } from '../inference/engine.ts';
import type { RunReading } from '../metrics/run-metrics.ts';
import type { PipelineObserver } from '../pipeline/types.ts';
import type { Journal } from '../sink/journal/types.ts';
import type { PostgresReader } from '../sink/postgres/reader.ts';

/** What the API reads of a run. It changes nothing there. */
export interface RunView {
  readonly instance: string;
  readonly streams: readonly StreamSource[];
  readonly engine: EngineInfo;
  readonly journal: Pick<Journal, 'stats' | 'read' | 'waitFor' | 'nextOffset' | 'failed' | 'openEpisodes'>;
  readonly newest: NewestOfStreams;
  /** Counters of the run at this moment. */
  readonly reading: () => RunReading;
  /** Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  /** Connects on first use; absent where no Postgres is configured. */
  readonly history?: () => Promise<PostgresReader>;
  /** Free of secrets. */
  readonly settings: readonly ShownSetting[];
}

/** A setting, its effective value and where that came from. */
export interface ShownSetting {
  readonly key: string;
  readonly value: unknown;
  readonly origin: string;
}

export interface StreamSource {
  readonly streamId: string;
  /** May hold a login: never shown as it is. */
  readonly url: string;
  readonly kind: 'live' | 'file';
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
