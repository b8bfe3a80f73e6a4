import type { StreamDescription } from '../core/records.ts';
import type { EpisodePolicy, EpisodeTrackerOptions } from '../events/types.ts';
import type { StreamOptions } from '../ingest/types.ts';
import { omit } from './omit.ts';
import type { EventSettings, SamplerSettings, StreamSettings } from './types.ts';

/** What a stream takes from the model, once that is loaded. */
export interface StreamModel {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly clip: { readonly fps: number; readonly stride: number };
  readonly frameFit?: { readonly fit: 'stretch' | 'crop'; readonly scale: number };
  readonly reuse?: { readonly contextFrames: number };
  /** Per label, as chosen on training data. */
  readonly thresholds?: Readonly<Record<string, { readonly on: number; readonly off: number }>>;
}

export interface ResolvedStream {
  /** Options that differ from the model's own. */
  readonly sampler: SamplerSettings;
  readonly options: StreamOptions;
  readonly about?: StreamDescription;
  readonly audit?: NonNullable<StreamSettings['audit']>;
  readonly episodes: Pick<EpisodeTrackerOptions, 'defaultPolicy' | 'policies' | 'allow' | 'strideMs'>;
}

/** Completes a stream's settings with the model's. Thresholds: settings, then the model's, then 0.6. */
export function resolveStream(
  { window, sampler, events, audit, about, ...given }: StreamSettings,
  model: StreamModel,
  ffmpegPath: string,
): ResolvedStream {
  const stream = omit(given, ['models']);
  const stride = window.stride ?? model.clip.stride;
  const fps = window.fps ?? model.clip.fps;
  return {
    sampler,
    ...(audit && { audit }),
    ...(about && { about }),
    options: {
      ...omit(stream, ['paused', 'media']),
      window: {
        ...{ ...window, frames: model.frames, stride, fps },
        ...(model.reuse && { context: model.reuse.contextFrames }),
      },
      width: model.width,
      height: model.height,
      fit: stream.fit ?? model.frameFit?.fit ?? 'stretch',
      ...(model.frameFit && { scale: model.frameFit.scale }),
      ffmpegPath,
    },
    episodes: {
      ...episodePolicies(events, model.thresholds ?? {}),
      ...(events.allow && { allow: events.allow }),
      strideMs: (stride / fps) * 1000,
    },
  };
}

export const DEFAULT_ON = 0.6;
/** How far `off` lies below `on` where only `on` is known. */
const HYSTERESIS = 0.2;

function episodePolicies(
  { policy, labels }: EventSettings,
  thresholds: NonNullable<StreamModel['thresholds']>,
): {
  readonly defaultPolicy: EpisodePolicy;
  readonly policies: Readonly<Record<string, Partial<EpisodePolicy>>>;
} {
  const names = [...new Set([...Object.keys(thresholds), ...Object.keys(labels)])];
  const policies = names.map((name) => {
    const own = labels[name] ?? {};
    const on = own.on ?? policy.on;
    const off = own.off ?? policy.off;
    return [name, { ...own, ...pairOf({ on, off }, thresholds[name]) }] as const;
  });
  return {
    defaultPolicy: { ...policy, ...pairOf(policy, undefined) },
    policies: Object.fromEntries(policies),
  };
}

/** A threshold that is set and one that is not: the other must not end up on the wrong side. */
function pairOf(
  set: { readonly on?: number | undefined; readonly off?: number | undefined },
  trained: { readonly on: number; readonly off: number } | undefined,
): { readonly on: number; readonly off: number } {
  if (set.on === undefined && set.off === undefined && trained) return trained;
  const on = set.on ?? Math.max(trained?.on ?? DEFAULT_ON, set.off ?? 0);
  const off = set.off ?? Math.max(0, Math.round((on - HYSTERESIS) * 1e6) / 1e6);
  return { on, off };
}
