import { createRandom } from './prng.ts';
import { describeScene } from './scene.ts';
import type { Step, Visit } from './choreography.ts';
import type { Scene, SceneOptions } from './scene.ts';

export const STORIES = ['fight', 'fall'] as const;

type Common = Partial<Pick<SceneOptions, 'seed' | 'view' | 'width' | 'height' | 'fps'>>;

/** Seconds of empty room before the demo's people come, and after. */
const STILL_S = 7.5;

/**
 * An empty room, people who come, and an empty room again: two who fight, or
 * one who falls, gets up and goes. About 25 to 30 s.
 */
export function demoScene(options: Common & { readonly story?: (typeof STORIES)[number] } = {}): Scene {
  const { story = 'fight', seed = 5, view = 'hall' } = options;
  const common = { startS: STILL_S, enter: true, leave: true } as const;
  const visit: Visit =
    story === 'fight'
      ? { ...common, people: 2, steps: ['fight'], fightS: 4 }
      : { ...common, people: 1, steps: ['walk', 'falling', 'fallen'] };
  return describeScene({ ...options, seed, view, visits: [visit], stillAfterS: STILL_S });
}

const ERRANDS: readonly { readonly people: 1 | 2; readonly steps: readonly Step[] }[] = [
  { people: 1, steps: ['walk', 'stand', 'walk'] },
  { people: 1, steps: ['walk', 'falling', 'fallen'] },
  { people: 1, steps: ['sitdown', 'sit', 'standup'] },
  { people: 2, steps: ['meet', 'stand', 'handshake'] },
  { people: 2, steps: ['hug', 'stand'] },
  { people: 2, steps: ['point', 'push', 'fight'] },
  { people: 2, steps: ['stand', 'fight'] },
];

/**
 * A room that is empty most of the time: somebody comes every `everyS` seconds
 * or so, and the lamp is switched now and then.
 */
export function longScene(options: Common & { readonly minutes: number; readonly everyS?: number }): Scene {
  const { minutes, everyS = 75, seed = 11, view = 'hall' } = options;
  const random = createRandom(seed + 1);
  const durationS = minutes * 60;
  const visits: Visit[] = [];
  const lampSwitches: { atS: number; on: boolean }[] = [];
  // The longest errand takes some 25 s: closer starts would have strangers walk through each other.
  for (let startS = everyS * 0.4; startS < durationS - 30; startS += everyS * random.range(0.7, 1.3) + 25) {
    visits.push({ startS, enter: true, leave: true, ...random.pick(ERRANDS) });
    if (random.chance(0.3)) {
      const atS = startS - everyS * 0.25;
      lampSwitches.push({ atS, on: false }, { atS: atS + random.range(3, 8), on: true });
    }
  }
  return describeScene({ ...options, seed, view, durationS, visits, lampSwitches });
}
