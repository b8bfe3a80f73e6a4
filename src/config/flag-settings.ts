import { innerName } from '../settings/inner-names.ts';
import { engineSchema } from './engine-schema.ts';
import { modelSchema } from './model-schema.ts';
import { omit } from './omit.ts';
import { defaultsSchema } from './stream-schema.ts';
import type { EngineSettings, NetworkSettings, SamplerSettings, WindowSettings } from './types.ts';

/** What a command without a configuration file takes as flags. */
export interface FlagSettings {
  readonly network: NetworkSettings;
  /** Its words are not checked yet: who plans with it refuses what it does not know. */
  readonly sampler: SamplerSettings;
  readonly engine: EngineSettings;
  readonly window: Omit<WindowSettings, 'tail'>;
  /** Of an untrained network. */
  readonly seed?: number;
}

/**
 * Settings under their inner names, with the defaults of the configuration file.
 * @param given in the shape of that file
 */
export function settingsOfFlags(given: object): FlagSettings {
  const { model = {}, sampler = {}, engine = {}, defaults = {} } = given as Readonly<Record<string, object>>;
  const { seed, ...shape } = omit(modelSchema.parse(model), ['path', 'network']);
  return {
    network: shape,
    sampler: Object.fromEntries(
      Object.entries(sampler).map(([key, value]) => [innerName(key), value as unknown]),
    ),
    engine: engineSchema.parse(engine),
    window: omit(defaultsSchema.parse(defaults).window, ['tail']),
    ...(seed !== undefined && { seed }),
  };
}
