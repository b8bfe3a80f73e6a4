import type { Places } from '../app/stores.ts';

/** Flags in place of a configuration file. */
export type PlaceFlags = Omit<Places, 'configPath'>;

export function placesOf(configPath: string | undefined, { postgres, kafka, journal }: PlaceFlags): Places {
  return {
    ...(configPath !== undefined && { configPath }),
    ...(postgres !== undefined && { postgres }),
    ...(kafka !== undefined && { kafka }),
    ...(journal !== undefined && { journal }),
  };
}
