import type { EpisodePolicy } from '../events/index.ts';
import type { EngineSpec } from '../inference/worker/spec.ts';
import type { StreamOptions, WindowOptions } from '../ingest/types.ts';
import type { SamplerOptions } from '../sampler/index.ts';
import type { EventSink } from '../sink/event-sink.ts';
import type { JournalOptions } from '../sink/journal/types.ts';

/** Everything a run needs, settled: what the model decides (size, clip length, rate) is filled in once it is open. */
export interface RunSettings {
  readonly instance: string;
  readonly version: string;
  readonly engine: EngineSpec;
  /** The model's own where absent. */
  readonly sampler?: SamplerOptions;
  readonly streams: readonly StreamSettings[];
  readonly journal: Omit<JournalOptions, 'consumers' | 'logger'>;
  /** Not yet opened; the run owns and disposes them. */
  readonly sinks: readonly EventSink[];
}

export interface StreamSettings {
  readonly source: Omit<StreamOptions, 'width' | 'height' | 'window' | 'ffmpegPath'>;
  readonly window: Partial<WindowOptions>;
  readonly events: StreamEvents;
}

export interface StreamEvents {
  /** Only these labels, where given. */
  readonly allow?: readonly string[];
  readonly defaultPolicy: EpisodePolicy;
  /** Win over the model's thresholds, which win over the default. */
  readonly policies: Readonly<Record<string, Partial<EpisodePolicy>>>;
}
