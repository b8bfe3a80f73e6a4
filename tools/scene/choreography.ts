import { act, addAction, createActor, RESTING, waitUntil, walkTo } from './actor.ts';
import { FIGHT_GAP } from './fight.ts';
import { MOTION_KEYS } from './motion-keys.ts';
import { facingPlace, freeWay, headingTo, startingPlace, strollPlace } from './staging.ts';
import type { Actor, Label, SceneAction } from './actor.ts';
import type { Figure, MotionName } from './figure.ts';
import type { KeyedMotion } from './motion-keys.ts';
import type { Random } from './prng.ts';
import type { Setting } from './setting.ts';

/** What people can do, one after the other. `meet` brings two face to face. */
export type Step = Exclude<Label, 'none' | 'no_fight'> | 'stand' | 'meet';

/**
 * Some people come, do things and go. Times in seconds of the scene; a start
 * before 0 means that it is under way when the video begins.
 */
export interface Visit {
  readonly startS: number;
  readonly people: 1 | 2;
  readonly steps: readonly Step[];
  /** Walk in from outside (else: there from the start) and out again (else: stay). */
  readonly enter: boolean;
  readonly leave: boolean;
  /** Seconds that a fight lasts. */
  readonly fightS?: number;
}

interface Part {
  readonly figures: readonly Figure[];
  readonly actions: readonly SceneAction[];
  readonly endS: number;
}

interface Cast {
  readonly actors: readonly Actor[];
  readonly setting: Setting;
  readonly random: Random;
}

/**
 * How two people do something together: motions of the one who starts and of
 * the other, distance in metres, duration range.
 */
const TOGETHER = {
  handshake: { first: 'shake', second: 'shake', gap: 1.02, seconds: [1.7, 2.4] },
  hug: { first: 'hug', second: 'hug', gap: 0.86, seconds: [2, 2.8] },
  kick: { first: 'kick', second: 'takeKick', gap: 1.02, seconds: [1, 1.3] },
  punch: { first: 'punch', second: 'takePunch', gap: 0.88, seconds: [0.9, 1.2] },
  push: { first: 'push', second: 'takePush', gap: 0.82, seconds: [1.1, 1.4] },
  point: { first: 'point', second: 'stand', gap: 1.6, seconds: [1.7, 2.4] },
} as const satisfies Partial<
  Record<Step, { first: MotionName; second: MotionName; gap: number; seconds: readonly [number, number] }>
>;

/** Writes out a visit as figures with their motions and the actions in them. */
export function choreograph(visit: Visit, setting: Setting, random: Random, firstId: number): Part {
  const actors = Array.from({ length: visit.people }, (_, index) => {
    const way = setting.entries[index]!;
    const place = visit.enter ? way[0]! : startingPlace(setting, visit.people, index, random);
    const actor = createActor(firstId + index, random, place, visit.startS + (visit.enter ? index * 0.7 : 0));
    return actor;
  });
  const cast: Cast = { actors, setting, random };
  if (visit.enter)
    actors.forEach((actor, index) => {
      comeIn(cast, actor, index);
    });
  for (const step of visit.steps) perform(cast, step, visit);
  if (visit.leave)
    actors.forEach((actor, index) => {
      goOut(cast, actor, index);
    });

  return {
    figures: actors.map(({ id, body, segments }) => ({ id, body, segments })),
    actions: actors.flatMap(({ actions }) => actions),
    endS: Math.max(...actors.map(({ timeS }) => timeS)),
  };
}

function perform(cast: Cast, step: Step, visit: Visit): void {
  const [lead] = cast.actors;
  const { random } = cast;
  switch (step) {
    case 'stand':
      for (const actor of cast.actors) hold(cast, actor, random.range(0.8, 1.8));
      return;
    case 'walk':
      for (const [index, actor] of cast.actors.entries()) {
        riseIfDown(cast, actor);
        walkTo(actor, strollPlace(cast.setting, random, index, actor.place), random.range(0.9, 1.35), random);
      }
      return;
    case 'meet':
      meet(cast, random.range(1.25, 1.7));
      return;
    case 'fight':
      fight(cast, visit.fightS ?? random.range(3.5, 5));
      return;
    case 'sitdown':
    case 'sit':
    case 'standup':
    case 'lying':
    case 'falling':
    case 'fallen':
      changePosture(cast, lead!, step);
      return;
    case 'handshake':
    case 'hug':
    case 'kick':
    case 'point':
    case 'punch':
    case 'push':
      together(cast, step);
  }
}

function changePosture(
  cast: Cast,
  actor: Actor,
  step: 'sitdown' | 'sit' | 'standup' | 'lying' | 'falling' | 'fallen',
): void {
  const { random, setting } = cast;
  const seed = random.index(1 << 20);
  switch (step) {
    case 'sitdown':
      riseIfDown(cast, actor);
      walkTo(actor, setting.seat, random.range(0.9, 1.2), random);
      act(actor, 'sitDown', random.range(1.1, 1.9), { label: 'sitdown', seed });
      actor.posture = 'seated';
      return;
    case 'sit':
      if (actor.posture !== 'seated') changePosture(cast, actor, 'sitdown');
      act(actor, 'sit', random.range(2.5, 4), { label: 'sit', seed });
      return;
    case 'standup':
      if (actor.posture === 'standing') changePosture(cast, actor, 'sit');
      riseIfDown(cast, actor);
      return;
    case 'lying':
      riseIfDown(cast, actor);
      walkTo(actor, { ...setting.bed, height: 0 }, random.range(0.8, 1.1), random);
      act(actor, 'floorSitDown', random.range(1.4, 2), { to: setting.bed, label: 'sitdown', seed });
      act(actor, 'lieDown', random.range(1.6, 2.4), { label: 'lying', seed });
      act(actor, 'lie', random.range(2, 3.5), { label: 'lying', seed });
      actor.posture = 'lying';
      return;
    case 'falling': {
      riseIfDown(cast, actor);
      const way = freeWay(setting.room, actor, random);
      act(actor, `fall${way}`, random.range(1.15, 1.6), { label: 'falling', seed });
      actor.posture = `fallen-${way.toLowerCase() as 'forward' | 'backward' | 'sideways'}`;
      return;
    }
    case 'fallen':
      if (!actor.posture.startsWith('fallen')) changePosture(cast, actor, 'falling');
      act(actor, RESTING[actor.posture], random.range(2, 3.5), { label: 'fallen', seed });
  }
}

function riseIfDown({ random }: Cast, actor: Actor): void {
  if (actor.posture === 'standing') return;
  const seed = random.index(1 << 20);
  if (actor.posture === 'seated') act(actor, 'standUp', random.range(1, 1.7), { label: 'standup', seed });
  else {
    const to = { ...actor.place, height: 0 };
    act(actor, 'floorStandUp', random.range(2, 2.8), { to, label: 'standup', seed, blendS: 0.9 });
  }
  actor.posture = 'standing';
}

function together(cast: Cast, step: keyof typeof TOGETHER): void {
  const { first, second, gap, seconds } = TOGETHER[step];
  const { random, actors } = cast;
  meet(cast, gap * random.range(0.96, 1.06));
  const lead = actors[random.index(actors.length)]!;
  const lasting = random.range(seconds[0], seconds[1]);
  const startS = lead.timeS;
  const shared = { mirrored: lead.mirrored, seed: random.index(1 << 20) };
  for (const actor of actors) {
    // In a handshake and a hug both use the same side; a victim answers from either.
    act(actor, actor === lead ? first : second, lasting, { ...shared, seed: shared.seed + actor.id });
  }
  addAction(lead, { label: step, startS, endS: startS + lasting, figures: actors.map(({ id }) => id) });
  for (const actor of actors) {
    if (actor !== lead) staggerBack(actor, second);
  }
}

/** Who was struck stays where the blow sent them: the place follows the last pose. */
function staggerBack(actor: Actor, motion: MotionName): void {
  if (!(motion in MOTION_KEYS)) return;
  const [, pose] = MOTION_KEYS[motion as KeyedMotion].at(-1)!;
  const forward = 'forward' in pose ? (pose.forward * actor.body.height) / 1.75 : 0;
  const { x, z, heading } = actor.place;
  actor.place = { ...actor.place, x: x + Math.sin(heading) * forward, z: z + Math.cos(heading) * forward };
}

function fight(cast: Cast, seconds: number): void {
  const { actors, random } = cast;
  meet(cast, FIGHT_GAP);
  const seed = random.index(1 << 20);
  const startS = actors[0]!.timeS;
  for (const [index, actor] of actors.entries())
    act(actor, 'fight', seconds, { role: index === 0 ? 0 : 1, seed });
  const figures = actors.map(({ id }) => id);
  addAction(actors[0]!, { label: 'fight', startS, endS: startS + seconds, figures });
}

/** Face to face at a distance, both at the same time. */
function meet(cast: Cast, gap: number): void {
  const { actors, random } = cast;
  for (const [index, actor] of actors.entries()) {
    riseIfDown(cast, actor);
    walkTo(actor, facingPlace(cast.setting, gap, index), random.range(1, 1.4), random);
  }
  const readyS = Math.max(...actors.map(({ timeS }) => timeS));
  for (const actor of actors) waitUntil(actor, readyS, random);
}

function comeIn({ setting, random }: Cast, actor: Actor, index: number): void {
  const way = setting.entries[index]!.slice(1);
  const speed = random.range(1.1, 1.4);
  for (const [step, place] of way.entries()) {
    const next = way[step + 1] ?? { x: setting.stage.x, z: setting.stage.z };
    walkTo(actor, { ...place, heading: headingTo(actor.place, place, next) }, speed, random);
  }
}

function goOut(cast: Cast, actor: Actor, index: number): void {
  riseIfDown(cast, actor);
  // They do not leave in step.
  hold(cast, actor, 0.2 + index * 0.9);
  const speed = cast.random.range(1.2, 1.5);
  for (const place of [...cast.setting.entries[index]!].reverse()) {
    walkTo(actor, { ...place, heading: headingTo(actor.place, place, place) }, speed, cast.random);
  }
}

function hold({ random }: Cast, actor: Actor, seconds: number): void {
  waitUntil(actor, actor.timeS + seconds, random);
}
