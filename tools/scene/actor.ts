import { describeBody } from './body.ts';
import type { Figure, MotionName, Place, Segment } from './figure.ts';
import type { Random } from './prng.ts';

/** Labels as in the manifests of real footage. */
export const LABELS = [
  'fight',
  'no_fight',
  'handshake',
  'hug',
  'kick',
  'point',
  'punch',
  'push',
  'none',
  'walk',
  'sitdown',
  'standup',
  'sit',
  'lying',
  'falling',
  'fallen',
] as const;
export type Label = (typeof LABELS)[number];

/** What happens over [startS, endS), and who does it. */
export interface SceneAction {
  readonly label: Label;
  readonly startS: number;
  readonly endS: number;
  readonly figures: readonly number[];
}

/** A figure while its part is being written: where and when it is now, and what it has done so far. */
export interface Actor {
  readonly id: number;
  readonly body: Figure['body'];
  readonly segments: Segment[];
  readonly actions: SceneAction[];
  /** Side that strikes, points, falls: people are left- or right-handed. */
  readonly mirrored: boolean;
  place: Place;
  timeS: number;
  posture:
    'standing' | 'seated' | 'on-floor' | 'lying' | 'fallen-forward' | 'fallen-backward' | 'fallen-sideways';
}

/** Takes up less than this is not worth a step, metres. */
const STEP_M = 0.12;

export function createActor(id: number, random: Random, place: Place, timeS: number): Actor {
  return {
    ...{ id, body: describeBody(random), segments: [], actions: [], mirrored: random.chance(0.3) },
    ...{ place, timeS, posture: 'standing' },
  };
}

/** Appends one motion to an actor's part. */
export function act(
  actor: Actor,
  motion: MotionName,
  seconds: number,
  options: {
    readonly to?: Place;
    readonly label?: Label;
    readonly role?: 0 | 1;
    readonly seed: number;
    readonly mirrored?: boolean;
    readonly blendS?: number;
  },
): void {
  const [startS, endS] = [actor.timeS, actor.timeS + seconds];
  const to = options.to ?? actor.place;
  actor.segments.push({
    ...{ motion, startS, endS, from: actor.place, to },
    ...{ mirrored: options.mirrored ?? actor.mirrored, role: options.role ?? 0 },
    ...{ seed: options.seed, blendS: options.blendS ?? 0.2 },
  });
  if (options.label !== undefined)
    addAction(actor, { label: options.label, startS, endS, figures: [actor.id] });
  actor.place = to;
  actor.timeS = endS;
}

/** Notes an action, joined to the one before where that goes on. */
export function addAction(actor: Actor, action: SceneAction): void {
  const last = actor.actions[actor.actions.length - 1];
  if (last?.label === action.label && Math.abs(last.endS - action.startS) < 1e-6) {
    actor.actions[actor.actions.length - 1] = { ...last, endS: action.endS };
    return;
  }
  actor.actions.push(action);
}

/**
 * Walks to a place, looking where it goes, and turns to the place's heading on
 * arrival. Short ways are gone without turning.
 */
export function walkTo(actor: Actor, target: Place, speed: number, random: Random): void {
  const [dx, dz] = [target.x - actor.place.x, target.z - actor.place.z];
  const length = Math.hypot(dx, dz);
  if (length > STEP_M) {
    const heading = length > 0.9 ? Math.atan2(dx, dz) : target.heading;
    const seconds = Math.max(0.35, length / speed);
    act(actor, 'walk', seconds, { to: { ...target, heading }, label: 'walk', seed: random.index(1 << 20) });
  }
  const turn = Math.cos(actor.place.heading - target.heading);
  if (turn < 0.97) act(actor, 'stand', 0.45, { to: target, seed: random.index(1 << 20) });
  actor.place = target;
}

/** Lets an actor wait, standing or as it is, until a time. */
export function waitUntil(actor: Actor, timeS: number, random: Random): void {
  if (timeS - actor.timeS < 0.02) return;
  act(actor, RESTING[actor.posture], timeS - actor.timeS, { seed: random.index(1 << 20) });
}

export const RESTING: Readonly<Record<Actor['posture'], MotionName>> = {
  standing: 'stand',
  seated: 'sit',
  'on-floor': 'floorSit',
  lying: 'lie',
  'fallen-forward': 'fallenForward',
  'fallen-backward': 'fallenBackward',
  'fallen-sideways': 'fallenSideways',
};
