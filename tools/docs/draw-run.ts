import { box, drawing, text } from './svg.ts';

/** A clip of a run: when it began, and the time steps that it kept. */
export interface RunClip {
  readonly startS: number;
  readonly keptSteps: number;
  readonly inputSteps: number;
}

export interface Span {
  readonly label: string;
  readonly startS: number;
  readonly endS: number;
}

export interface DrawnRun {
  readonly clips: readonly RunClip[];
  /** Events that the run reported. */
  readonly events: readonly Span[];
  /** What the generated scene shows, by its truth file. */
  readonly truth: readonly Span[];
  readonly durationS: number;
  readonly savedRatio: number;
}

const WIDTH = 960;
const LEFT = 96;
const RIGHT = 24;
const TOP = 34;
const BARS = 130;
const ROW = 20;

/** Kept steps of each clip over time; below them the events of the run and the actions of the scene. */
export function drawRun({ clips, events, truth, durationS, savedRatio }: DrawnRun): string {
  const inputSteps = Math.max(...clips.map((clip) => clip.inputSteps));
  const x = (seconds: number): number => LEFT + (seconds / durationS) * (WIDTH - LEFT - RIGHT);
  const y = (steps: number): number => TOP + BARS * (1 - steps / inputSteps);
  const stride = clips.length > 1 ? clips[1]!.startS - clips[0]!.startS : durationS;
  const saved = Math.round(savedRatio * 100);
  const reported = rows(events);
  const shown = rows(truth);
  const eventsTop = TOP + BARS + 14;
  const truthTop = eventsTop + reported.length * ROW + 10;
  const bottom = truthTop + shown.length * ROW + 22;
  return drawing(WIDTH, bottom + 10, [
    text(
      LEFT,
      20,
      `time steps kept of ${inputSteps} in each clip; the run saved ${saved} % of the multiply-adds`,
    ),
    ...[0, inputSteps / 2, inputSteps].flatMap((steps) => [
      box(LEFT, y(steps), { width: WIDTH - LEFT - RIGHT, height: 1 }, { fill: '#dddddd' }),
      text(LEFT - 8, y(steps) + 4, String(steps), { anchor: 'end' }),
    ]),
    ...clips.map(({ startS, keptSteps }) =>
      box(
        x(startS) + 1,
        y(keptSteps),
        { width: x(startS + stride) - x(startS) - 2, height: y(0) - y(keptSteps) },
        { fill: '#2f6f9f' },
      ),
    ),
    text(LEFT - 8, eventsTop + 14, 'events', { anchor: 'end', bold: true }),
    ...reported.flatMap((row, index) => row.map((span) => bar(span, eventsTop + index * ROW, '#f2b134', x))),
    text(LEFT - 8, truthTop + 14, 'scene', { anchor: 'end', bold: true }),
    ...shown.flatMap((row, index) => row.map((span) => bar(span, truthTop + index * ROW, '#dddddd', x))),
    ...Array.from({ length: Math.floor(durationS / 5) + 1 }, (_, i) =>
      text(x(i * 5), bottom, `${i * 5} s`, { anchor: 'middle' }),
    ),
  ]);
}

function bar(
  { label, startS, endS }: Span,
  top: number,
  fill: string,
  x: (seconds: number) => number,
): string {
  const width = x(endS) - x(startS);
  return [
    box(x(startS), top, { width, height: ROW - 3 }, { fill, radius: 2 }),
    text(x(startS) + width / 2, top + 13, label, { anchor: 'middle' }),
  ].join('\n');
}

/** Spans in as few rows as they need, so that none covers another. */
function rows(spans: readonly Span[]): readonly (readonly Span[])[] {
  const filled: Span[][] = [];
  for (const span of spans.toSorted((a, b) => a.startS - b.startS)) {
    const row = filled.find((taken) => taken.at(-1)!.endS <= span.startS);
    if (row === undefined) filled.push([span]);
    else row.push(span);
  }
  return filled;
}
