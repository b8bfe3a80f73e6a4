import { contains, type Point, type Polygon, type Region, type Zone } from '../core/region.ts';

/** What a camera's frames shall not show; without any, nothing is blank. */
export interface BlankAreas {
  readonly zones?: readonly Zone[];
  readonly masks?: readonly Polygon[];
}

/** Middle grey: what networks see as nothing, as in their own padding (ADR 0048). */
const BLANK = 128;

/** Blanks pixels of a frame in place. */
export type BlankFrame = (data: Uint8Array) => void;

/**
 * Works out once which pixels are blank: those that a mask or an excluded zone touches, and where zones are
 * included, those whose middle none of them holds. A frame then costs one `fill` for each run of pixels.
 *
 * @param size of the frames, rgb24
 * @param view part of the frame that they show
 */
export function createBlanks(
  { zones = [], masks = [] }: BlankAreas,
  { width, height }: { readonly width: number; readonly height: number },
  view: Region,
): BlankFrame {
  const polygonsOf = (kind: Zone['kind']): readonly Polygon[] =>
    zones.filter((zone) => zone.kind === kind).map(({ points }) => points);
  const [hidden, included] = [[...masks, ...polygonsOf('exclude')], polygonsOf('include')];
  const at = (x: number, y: number): Point => ({
    x: view.x + (x / width) * view.width,
    y: view.y + (y / height) * view.height,
  });
  const isBlank = (column: number, row: number): boolean => {
    const middle = at(column + 0.5, row + 0.5);
    if (included.length > 0 && !included.some((polygon) => contains(polygon, middle))) return true;
    const points = [middle, ...CORNERS.map(([x, y]) => at(column + x, row + y))];
    return hidden.some((polygon) => points.some((point) => contains(polygon, point)));
  };
  const runs = runsOf(width * height, (pixel) => isBlank(pixel % width, Math.floor(pixel / width)));
  return (data) => {
    for (const [from, to] of runs) data.fill(BLANK, from * 3, to * 3);
  };
}

/** Scaling mixes neighbours: a pixel shows something of the mask that reaches into it. */
const CORNERS = [
  [0.01, 0.01],
  [0.99, 0.01],
  [0.01, 0.99],
  [0.99, 0.99],
] as const;

/** Runs [from, to) of the pixels that fulfil the condition. */
function runsOf(count: number, holds: (pixel: number) => boolean): readonly (readonly [number, number])[] {
  const runs: [number, number][] = [];
  for (let pixel = 0; pixel < count; pixel += 1) {
    if (!holds(pixel)) continue;
    const last = runs.at(-1);
    if (last?.[1] === pixel) last[1] = pixel + 1;
    else runs.push([pixel, pixel + 1]);
  }
  return runs;
}
