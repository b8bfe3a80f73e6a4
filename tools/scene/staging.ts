import type { Actor } from './actor.ts';
import type { Place } from './figure.ts';
import type { Random } from './prng.ts';
import type { Room } from './room.ts';
import type { Setting } from './setting.ts';

/** Ways to fall, and the direction of each from the heading, radians. */
const FALLS = { Forward: 0, Backward: Math.PI, Sideways: Math.PI / 2 } as const;

export function startingPlace(setting: Setting, people: 1 | 2, index: number, random: Random): Place {
  if (people === 2) return facingPlace(setting, random.range(1.4, 2), index);
  const { x, z } = setting.stage;
  return {
    x: x + random.range(-0.4, 0.4),
    z: z + random.range(-0.3, 0.3),
    heading: random.range(-3, 3),
    height: 0,
  };
}

export function facingPlace({ stage, facing }: Setting, gap: number, index: number): Place {
  const side = index === 0 ? -1 : 1;
  return {
    x: stage.x + (side * Math.sin(facing) * gap) / 2,
    z: stage.z + (side * Math.cos(facing) * gap) / 2,
    heading: index === 0 ? facing : facing + Math.PI,
    height: 0,
  };
}

/** Somewhere on the free floor, a fair way from here. */
export function strollPlace({ stage }: Setting, random: Random, index: number, from: Place): Place {
  const side = from.x > stage.x ? -1 : 1;
  const x = stage.x + side * random.range(0.5, 0.95);
  const z = stage.z - random.range(0, 0.5) + index * 0.5;
  return { x, z, heading: Math.atan2(x - from.x, z - from.z), height: 0 };
}

/** A way to fall that does not end in the furniture, where there is one. */
export function freeWay(room: Room, { place, mirrored }: Actor, random: Random): keyof typeof FALLS {
  const ways = (Object.keys(FALLS) as (keyof typeof FALLS)[]).filter((way) => {
    const heading = place.heading + FALLS[way] * (mirrored ? -1 : 1);
    return [0.6, 1, 1.4].every((metres) => {
      const [x, z] = [place.x + Math.sin(heading) * metres, place.z + Math.cos(heading) * metres];
      if (x < room.x0 + 0.2 || x > room.x1 - 0.2 || z > room.z1 - 0.2 || z < room.z0 + 0.2) return false;
      return room.boxes.every(
        ({ min, max }) => x < min[0] - 0.2 || x > max[0] + 0.2 || z < min[2] - 0.2 || z > max[2] + 0.2,
      );
    });
  });
  return ways.length > 0 ? random.pick(ways) : 'Forward';
}

/** The heading with which one gets from one place to the next, so that nobody stops to turn on the way. */
export function headingTo(from: Place, to: Place, after: { readonly x: number; readonly z: number }): number {
  const target = Math.hypot(to.x - from.x, to.z - from.z) > 0.05 ? to : after;
  return Math.atan2(target.x - from.x, target.z - from.z);
}
