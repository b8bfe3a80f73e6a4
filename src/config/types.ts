import type { StreamDescription } from '../core/records.ts';
import type { StreamOptions } from '../ingest/types.ts';
import type { Layer } from './layers.ts';
import type { FleetSettings } from './resolve-fleet.ts';
import type { HttpSettings } from './resolve-http.ts';
import type { Sinks } from './resolve-sinks.ts';
import type { Settings } from './schema.ts';
import type { StoredStreams } from './stored-streams.ts';

/**
 * A valid configuration: every default filled in, every file that holds a secret read. Holds secrets:
 * never log it.
 */
export interface Config {
  readonly instance: string;
  readonly model: ModelSettings;
  readonly sampler: SamplerSettings;
  readonly engine: EngineSettings;
  readonly streams: readonly StreamSettings[];
  readonly journal: Settings['journal'];
  readonly sinks: Sinks;
  /** Absent: no video is kept. */
  readonly media?: MediaSettings;
  /** Absent: not served. */
  readonly metrics?: { readonly host: string; readonly port: number };
  /** Absent: not served. */
  readonly http?: HttpSettings;
  /** Absent: this program works alone. */
  readonly fleet?: FleetSettings;
  readonly log: Settings['log'];
  readonly reload: Settings['reload'];
  readonly streamOrigins: StreamOrigins;
  /** Every setting with its effective value and where that came from, for `config print`. Free of secrets. */
  readonly effective: readonly EffectiveSetting[];
}

/** Where the streams of a configuration come from. */
export interface StreamOrigins {
  /** File in which changes are kept; absent: they last as long as the run. */
  readonly store?: string;
  /** What the store holds. */
  readonly stored: StoredStreams;
  /** Ids of the configuration file or the command line, whether they are used or not. */
  readonly written: readonly string[];
}

export interface EffectiveSetting {
  /** `streams[0].url` */
  readonly key: string;
  readonly value: unknown;
  readonly layer: Layer;
  /** `site.yaml:12:5`, `environment variable ACTIONSTREAM_…`, `command line`, `default`, `…/streams.json`. */
  readonly origin: string;
}

/** Where snapshots and clips are kept, and for how long. */
export type MediaSettings = Settings['media'] & { readonly dir: string };

/** What shapes a network; absent: as the model or the network is. */
export type NetworkSettings = Omit<Settings['model'], 'path' | 'network' | 'seed'>;

export interface ModelSettings extends NetworkSettings {
  /** A path to a trained model or the name of a shipped one; or, where `untrained`, a network name. */
  readonly model: string;
  readonly untrained: boolean;
  readonly seed: number;
}

/** Only what was set; the model's own sampler gives the rest. */
export type SamplerSettings = Settings['sampler'];

export type EngineSettings = Settings['engine'];

/** A stream as far as it is known before the model is open. The model gives the rest (resolve-stream.ts). */
export interface StreamSettings extends Omit<
  StreamOptions,
  'window' | 'width' | 'height' | 'fit' | 'scale' | 'ffmpegPath' | 'ringDir'
> {
  /** Declared, but not watched. */
  readonly paused: boolean;
  /** Snapshots and clips of its episodes are kept, where any are. */
  readonly media: boolean;
  /** Absent where the settings say nothing of it. */
  readonly about?: StreamDescription;
  readonly fit?: StreamOptions['fit'];
  /** Whose labels it has; absent where no stream of the configuration names any. */
  readonly models?: readonly string[];
  /** Stride and rate are the model's where they are absent. */
  readonly window: WindowSettings;
  readonly sampler: SamplerSettings;
  /** Absent: not audited. */
  readonly audit?: NonNullable<Settings['defaults']['audit']>;
  readonly events: EventSettings;
}

/** How frames become clips. */
export type WindowSettings = Settings['defaults']['window'];

export interface EventSettings {
  /** Without thresholds that were not set: those of the model come first. */
  readonly policy: Omit<Settings['events'], 'labels' | 'allow'>;
  readonly labels: Readonly<Record<string, Partial<EventSettings['policy']>>>;
  readonly allow?: readonly string[];
}
