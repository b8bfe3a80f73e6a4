import { createCamera, project } from './camera.ts';
import { block, chair, furnish, furnitureTexture, indoorFloor, indoorWall, outdoorFloor } from './room.ts';
import type { Camera } from './camera.ts';
import type { Place } from './figure.ts';
import type { Random } from './prng.ts';
import type { Box, Room } from './room.ts';
import type { Vector } from './vector.ts';

/**
 * side: level with the people, outdoors. hall: a big room from its wall.
 * corner: a room from under its ceiling. ceiling: straight down.
 */
export const VIEWS = ['side', 'hall', 'corner', 'ceiling'] as const;
export type View = (typeof VIEWS)[number];

/** A place where things happen, seen by a camera that does not move. */
export interface Setting {
  readonly room: Room;
  readonly camera: Camera;
  /** The middle of the free floor. */
  readonly stage: { readonly x: number; readonly z: number };
  /** Heading along which two people face each other so that the camera sees both, radians. */
  readonly facing: number;
  /**
   * Where people come from and go to, unseen: outside the frame or behind the wall. Each with the way in.
   */
  readonly entries: readonly (readonly Place[])[];
  /** In front of the chair, back turned to it. */
  readonly seat: Place;
  /** In the middle of the mattress, its height included. */
  readonly bed: Place;
}

/** Under the ceiling camera the stool stands here, metres from the middle. */
const STOOL_Z = -0.6;

interface Size {
  readonly width: number;
  readonly height: number;
}

export function describeSetting(view: View, random: Random, size: Size): Setting {
  switch (view) {
    case 'side':
      return sideSetting(random, size);
    case 'hall':
      return indoorSetting(random, size, 'hall');
    case 'corner':
      return indoorSetting(random, size, 'corner');
    case 'ceiling':
      return ceilingSetting(random, size);
  }
}

function sideSetting(random: Random, size: Size): Setting {
  const away = random.range(7, 9);
  const high = random.range(2.4, 3.6);
  const camera = createCamera({
    position: [random.range(-0.6, 0.6), high, -away],
    target: [0, 0.86, 0],
    fieldOfView: random.range(17, 24),
    ...size,
  });
  const walled = random.chance(0.35);
  const z1 = walled ? random.range(2.2, 4) : 80;
  const seatX = random.range(0.95, 1.25);
  const seatTexture = furnitureTexture(random);
  const chaired = random.chance(0.5);
  const bench = block({ x: seatX, z: 0.9, size: [0.5, 0.44, 0.5], texture: seatTexture });
  const heading = chaired ? Math.PI : random.pick([Math.PI, -Math.PI / 2, Math.PI / 2]);
  const room: Room = {
    ...{ x0: -80, x1: 80, z0: -80, z1, height: 60, door: undefined },
    floor: outdoorFloor(random),
    wall: indoorWall(random),
    boxes: chaired ? chair(seatX, 0.9, seatTexture) : [bench],
    lamp: [random.range(-14, 14), 24, random.range(-18, 4)],
  };
  return {
    ...{ room, camera, stage: { x: -0.35, z: -0.4 } },
    facing: Math.PI / 2 + random.range(-0.25, 0.25),
    entries: outsideEntries(camera, size, -0.4),
    seat: place(seatX + Math.sin(heading) * 0.42, 0.9 + Math.cos(heading) * 0.42, heading),
    bed: place(-0.3, 0.1, Math.PI / 2),
  };
}

function indoorSetting(random: Random, size: Size, view: 'hall' | 'corner'): Setting {
  const hall = view === 'hall';
  const [wide, deep] = hall
    ? [random.range(6, 8), random.range(6.2, 7.4)]
    : [random.range(4.2, 5), random.range(4.4, 5.2)];
  const height = hall ? random.range(3, 3.8) : random.range(2.6, 2.9);
  const doorX = hall ? random.range(-1.8, 1.2) : random.range(-1.2, 0.2);
  const bounds = { x0: -wide / 2, x1: wide / 2, z0: 0, z1: deep, height };
  const door = { x0: doorX, x1: doorX + 0.95, height: 2.08 };
  const stage = hall ? { x: random.range(-0.4, 0.4), z: deep * 0.5 } : { x: 0.15, z: deep * 0.52 };
  const position: Vector = hall
    ? [random.range(-1, 1), height - 0.25, 0.1]
    : [bounds.x0 + 0.15, height - 0.15, 0.15];
  const target: Vector = [stage.x * 0.8, hall ? 0.95 : 0.8, stage.z + 0.25];
  const camera = createCamera({
    position,
    target,
    fieldOfView: hall ? random.range(40, 48) : random.range(46, 56),
    ...size,
  });
  const seatX = Math.min(bounds.x1 - 0.8, stage.x + random.range(1.2, 1.7));
  const seatZ = stage.z + random.range(0.7, 1.1);
  const bedX = stage.x - 0.2;
  const room: Room = {
    ...{ ...bounds, door },
    floor: indoorFloor(random),
    wall: indoorWall(random),
    boxes: [...furnish({ ...bounds, door }, random), ...chair(seatX, seatZ, furnitureTexture(random))],
    lamp: [random.range(-1, 1), height - 0.2, stage.z + random.range(-1, 0.8)],
  };
  const towards = Math.atan2(stage.x - position[0], stage.z - position[2]);
  return {
    ...{ room, camera, stage },
    facing: towards + Math.PI / 2 + random.range(-0.45, 0.45),
    entries: [
      [
        place(doorX - 0.75, deep + 0.75, 0),
        place(doorX + 0.45, deep + 0.6, 0),
        place(doorX + 0.48, deep - 0.5, 0),
      ],
      [
        place(doorX + 1.75, deep + 0.75, 0),
        place(doorX + 0.5, deep + 0.6, 0),
        place(doorX + 0.5, deep - 0.5, 0),
      ],
    ],
    seat: place(seatX, seatZ - 0.4, Math.PI),
    bed: place(bedX, stage.z - 0.1, Math.PI / 2),
  };
}

function ceilingSetting(random: Random, size: Size): Setting {
  const high = random.range(2.9, 3.5);
  const camera = createCamera({
    position: [random.range(-0.1, 0.1), high, random.range(-0.5, 0)],
    target: [0, 0, random.range(-0.02, 0.02)],
    fieldOfView: random.range(58, 68),
    ...size,
  });
  const bedHeight = random.range(0.06, 0.2);
  const cloth: Box['texture'] = {
    kind: 'plain',
    colour: random.pick([
      [196, 196, 200],
      [140, 160, 184],
      [196, 176, 160],
    ] as const),
    contrast: 0.2,
    seed: 3,
  };
  const stoolX = random.range(0.85, 1.15);
  const heading = random.pick([0, -Math.PI / 2, -Math.PI / 4]);
  const bedZ = random.range(0.1, 0.45);
  const room: Room = {
    ...{ x0: -2.6, x1: 2.6, z0: -2.4, z1: 2.2, height: high + 0.1, door: undefined },
    floor: indoorFloor(random),
    wall: indoorWall(random),
    boxes: [
      block({ x: 0.1, z: bedZ, size: [2, bedHeight, 0.85], texture: cloth }),
      block({
        x: random.range(0.9, 1.3),
        z: -0.75,
        size: [0.36, 0.44, 0.36],
        texture: furnitureTexture(random),
      }),
      block({ x: -1.9, z: 1.4, size: [0.8, 0.7, 0.9], texture: furnitureTexture(random) }),
    ],
    lamp: [random.range(-0.8, 0.8), high - 0.2, random.range(-1, 1)],
  };
  return {
    ...{ room, camera, stage: { x: -0.3, z: -0.55 } },
    facing: Math.PI / 2 + random.range(-0.6, 0.6),
    entries: [[place(-3.9, -0.6, 0)], [place(3.9, -0.8, 0)]],
    seat: place(stoolX + Math.sin(heading) * 0.42, STOOL_Z + Math.cos(heading) * 0.42, heading),
    bed: {
      ...place(0.1 + random.range(-0.1, 0.1), bedZ, random.chance(0.5) ? Math.PI / 2 : -Math.PI / 2),
      height: bedHeight,
    },
  };
}

/** To the left and to the right of the frame, at a depth. */
function outsideEntries(camera: Camera, size: Size, z: number): (readonly Place[])[] {
  const perMetre = project(camera, [1, 1, z]).x - project(camera, [0, 1, z]).x;
  const middle = (size.width / 2 - project(camera, [0, 1, z]).x) / perMetre;
  const half = size.width / 2 / perMetre + 0.5;
  return [[place(middle - half, z, 0)], [place(middle + half, z, 0)]];
}

function place(x: number, z: number, heading: number): Place {
  return { x, z, heading, height: 0 };
}
