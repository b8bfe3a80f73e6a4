/** A place in the frame of a camera, in parts of its width and height, from its upper left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A box in the frame, in parts of its width and height. */
export interface Region extends Point {
  readonly width: number;
  readonly height: number;
}

/** Corners in order; the last one is joined to the first. */
export type Polygon = readonly Point[];

/** An area of the frame with a name. */
export interface Zone {
  readonly name: string;
  /** `include`: only zones of this kind are looked at. `exclude`: it is not looked at. */
  readonly kind: 'include' | 'exclude';
  readonly points: Polygon;
}

/** The whole frame. */
export const EVERYWHERE: Region = { x: 0, y: 0, width: 1, height: 1 };

/** The least box around both. */
export function unite(a: Region | undefined, b: Region | undefined): Region | undefined {
  if (!a || !b) return a ?? b;
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return {
    ...{ x, y },
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

/** Even-odd rule, so that a polygon may cross itself. */
export function contains(polygon: Polygon, { x, y }: Point): boolean {
  let isInside = false;
  for (const [a, b] of edgesOf(polygon)) {
    if (a.y > y === b.y > y) continue;
    if (x < a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x)) isInside = !isInside;
  }
  return isInside;
}

/** Whether box and polygon have a part in common; an edge that both share is none. */
export function touches({ x, y, width, height }: Region, polygon: Polygon): boolean {
  const [right, bottom] = [x + width, y + height];
  const corners = [
    { x, y },
    { x: right, y },
    { x: right, y: bottom },
    { x, y: bottom },
  ];
  const isWithin = (point: Point): boolean =>
    point.x > x && point.x < right && point.y > y && point.y < bottom;
  const middle = { x: x + width / 2, y: y + height / 2 };
  if (contains(polygon, middle) || polygon.some(isWithin)) return true;
  return edgesOf(polygon).some(([a, b]) => edgesOf(corners).some(([c, d]) => cross([a, b], [c, d])));
}

type Edge = readonly [Point, Point];

function edgesOf(polygon: Polygon): readonly Edge[] {
  return polygon.map((point, n) => [point, polygon[(n + 1) % polygon.length] ?? point]);
}

/** Each edge has the ends of the other on both sides. */
function cross([a, b]: Edge, [c, d]: Edge): boolean {
  return sideOf([a, b], c) * sideOf([a, b], d) < 0 && sideOf([c, d], a) * sideOf([c, d], b) < 0;
}

function sideOf([from, to]: Edge, point: Point): number {
  return Math.sign((to.x - from.x) * (point.y - from.y) - (to.y - from.y) * (point.x - from.x));
}
