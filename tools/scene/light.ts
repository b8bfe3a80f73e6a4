import { smoothStep } from './keyframes.ts';
import type { Random } from './prng.ts';

/** How bright the scene is over time: an even light that drifts slowly, and a lamp that can be switched. */
export interface Light {
  readonly ambient: number;
  readonly lamp: number;
  readonly driftShare: number;
  readonly driftPeriodS: number;
  readonly driftPhase: number;
  /** The lamp is on until its first switch. In order of time. */
  readonly switches: readonly { readonly atS: number; readonly on: boolean }[];
}

export interface LightLevels {
  readonly ambient: number;
  readonly lamp: number;
}

/** A lamp takes this long to come on or go out, seconds. */
const SWITCH_S = 0.15;
/** Levels move in steps of this share, so that the background need not be mixed anew for every frame. */
const LEVEL_STEP = 1 / 256;

export function describeLight(random: Random, switches: Light['switches']): Light {
  const lamp = random.range(0.35, 0.75);
  return {
    ambient: random.range(0.95, 1.15) - lamp * 0.8,
    lamp,
    driftShare: random.range(0.01, 0.05),
    driftPeriodS: random.range(30, 90),
    driftPhase: random.range(0, 2 * Math.PI),
    switches,
  };
}

export function lightLevels(light: Light, timeS: number): LightLevels {
  const drift =
    1 + light.driftShare * Math.sin((2 * Math.PI * timeS) / light.driftPeriodS + light.driftPhase);
  let on = 1;
  for (const { atS, on: state } of light.switches) {
    const share = smoothStep((timeS - atS) / SWITCH_S);
    on += ((state ? 1 : 0) - on) * share;
  }
  return { ambient: quantise(light.ambient * drift), lamp: quantise(light.lamp * drift * on) };
}

function quantise(level: number): number {
  return Math.round(level / LEVEL_STEP) * LEVEL_STEP;
}
