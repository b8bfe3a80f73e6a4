import type { EpisodePolicy } from '../events/types.ts';
import type { StreamOptions, WindowOptions } from '../ingest/types.ts';
import type { DeviceChoice, EngineKind } from '../inference/engine-choice.ts';
import type { SamplerOptions } from '../sampler/types.ts';
import type { JournalOptions } from '../sink/journal/types.ts';
import type { KafkaSinkOptions } from '../sink/kafka/options.ts';
import type { PostgresSinkOptions } from '../sink/postgres/postgres-sink.ts';
import type { Layer } from './layers.ts';

/** A valid configuration: every default filled in, every file that holds a secret read. Holds secrets: never log it. */
export interface Config {
  readonly instance: string;
  readonly model: ModelSettings;
  readonly sampler: SamplerSettings;
  readonly engine: EngineSettings;
  readonly streams: readonly StreamSettings[];
  readonly journal: Omit<JournalOptions, 'consumers' | 'logger'>;
  readonly sinks: {
    readonly kafka?: KafkaSinkOptions;
    readonly postgres?: PostgresSinkOptions;
    /** `-`: standard output. */
    readonly ndjson?: { readonly path: string };
  };
  /** Absent: not served. */
  readonly metrics?: { readonly host: string; readonly port: number };
  readonly log: { readonly level: string };
  /** Every setting with its effective value and where that came from, for `config print`. Free of secrets. */
  readonly effective: readonly EffectiveSetting[];
}

export interface EffectiveSetting {
  /** `streams[0].url` */
  readonly key: string;
  readonly value: unknown;
  readonly layer: Layer;
  /** `site.yaml:12:5`, `environment variable ACTIONSTREAM_…`, `command line`, `default`. */
  readonly origin: string;
}

/** The network and its weights, in the words of the command line's flags. */
export interface ModelSettings {
  /** A path to a trained model or the name of a shipped one; or, where `untrained`, a network name. */
  readonly model: string;
  readonly untrained: boolean;
  readonly seed: number;
  readonly frames?: number;
  readonly size?: number;
  readonly classes?: number;
  readonly width?: number;
  readonly padding?: 'symmetric' | 'same';
  readonly stem?: 'separable' | 'dense';
  readonly input?: 'rgb' | 'motion';
  readonly gateBias?: boolean;
}

/** Only what was set, in the words of the command line's flags; the model's own sampler gives the rest. */
export interface SamplerSettings {
  readonly sampler?: SamplerOptions['kind'];
  readonly sgsAfter?: string;
  readonly sgsSize?: number;
  readonly delta?: number;
  readonly noiseFloor?: number;
  readonly anchor?: 'clip' | 'stream';
  readonly representative?: 'mean' | 'middle';
  readonly minSteps?: number;
  readonly similarity?: string;
  readonly temporalEdge?: 'zero' | 'edge';
  readonly timeMeans?: 'plain' | 'multiplicity';
  readonly stride?: number;
  readonly bins?: number;
  readonly kernel?: string;
  readonly distance?: string;
}

export interface EngineSettings extends DeviceChoice {
  readonly kind: EngineKind;
  /** Absent: derived from the time that the engine took to warm up. */
  readonly clipTimeoutMs?: number;
  readonly processes?: number;
  readonly threads?: number;
  /** Clips of a stream share work where the network allows it. */
  readonly reuse: boolean;
  /** Mean absolute difference of bytes up to which a picture counts as the one shown last. */
  readonly repeatThreshold: number;
  /** Clips of different streams in one call; 1: each by itself. */
  readonly batch: { readonly maxClips: number; readonly maxWaitMs: number };
  /** What live streams may cost; a latency that is not set is the length of a clip. */
  readonly budget: {
    readonly multiplyAddsPerSecond?: number;
    readonly p95LatencyMs?: number;
    readonly maxDeltaScale: number;
  };
}

/** A stream as far as it is known before the model is: what is missing, the model says (resolve-stream.ts). */
export interface StreamSettings extends Omit<
  StreamOptions,
  'window' | 'width' | 'height' | 'fit' | 'scale' | 'ffmpegPath'
> {
  readonly fit?: StreamOptions['fit'];
  readonly window: Partial<Pick<WindowOptions, 'stride' | 'fps'>> & Pick<WindowOptions, 'tail'>;
  readonly sampler: SamplerSettings;
  readonly events: EventSettings;
}

export interface EventSettings {
  /** Without thresholds that were not set: those of the model come first. */
  readonly policy: Omit<EpisodePolicy, 'on' | 'off'> & { readonly on?: number; readonly off?: number };
  readonly labels: Readonly<Record<string, Partial<EpisodePolicy>>>;
  readonly allow?: readonly string[];
}
