import { isDeepStrictEqual } from 'node:util';
import type { Config, StreamSettings } from '../config/index.ts';
import { LAYER_KEYS } from '../config/sampler-schema.ts';

/** What a configuration changes of a run. */
export interface ConfigDiff {
  /** Streams that are new, or whose settings differ. */
  readonly put: readonly StreamSettings[];
  /** Ids of those that are gone. */
  readonly removed: readonly string[];
}

/** Of streams only: whatever `defaults`, `sampler` and `events` say has become part of them. */
export function diffStreams(
  running: readonly StreamSettings[],
  wanted: readonly StreamSettings[],
): ConfigDiff {
  const before = new Map(running.map((stream) => [stream.streamId, stream]));
  const ids = new Set(wanted.map(({ streamId }) => streamId));
  return {
    put: wanted.filter((stream) => !isDeepStrictEqual(stream, before.get(stream.streamId))),
    removed: running.flatMap(({ streamId }) => (ids.has(streamId) ? [] : streamId)),
  };
}

const AT_START = [
  'instance',
  'model',
  'engine',
  'journal',
  'media',
  'sinks',
  'fleet',
  'metrics',
  'http',
  'log',
  'reload',
] as const;

/** Keys of what differs and is read at the start only. */
export function needsRestart(inForce: Config, wanted: Config): readonly string[] {
  const shapes = LAYER_KEYS.some((key) => !isDeepStrictEqual(inForce.sampler[key], wanted.sampler[key]));
  const differing = AT_START.filter((key) => !isDeepStrictEqual(inForce[key], wanted[key]));
  return shapes ? [...differing, 'sampler (what shapes the network)'] : differing;
}
