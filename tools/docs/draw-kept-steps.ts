/** One clip of a run, as the chart needs it. */
export interface ChartClip {
  readonly startS: number;
  readonly endS: number;
  readonly keptSteps: number;
  readonly inputSteps: number;
  readonly savedRatio: number;
}

export interface ChartAction {
  readonly label: string;
  readonly startS: number;
  readonly endS: number;
}

const WIDTH = 960;
const HEIGHT = 250;
const LEFT = 46;
const RIGHT = 24;
const BOTTOM = 44;
const TOP = 34;

/** Bars of kept steps over time with the actions of the scene below, as SVG. */
export function drawKeptSteps(
  clips: readonly ChartClip[],
  actions: readonly ChartAction[],
  durationS: number,
): string {
  const inputSteps = Math.max(...clips.map((clip) => clip.inputSteps));
  const x = (seconds: number): number => LEFT + (seconds / durationS) * (WIDTH - LEFT - RIGHT);
  const y = (steps: number): number => HEIGHT - BOTTOM - (steps / inputSteps) * (HEIGHT - BOTTOM - TOP);
  const saved = clips.reduce((sum, clip) => sum + clip.savedRatio, 0) / clips.length;
  const stride = clips.length > 1 ? clips[1]!.startS - clips[0]!.startS : durationS;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(
      LEFT,
      20,
      `time steps kept of ${inputSteps} in each clip; ${Math.round(saved * 100)} % of multiply-adds saved over the scene`,
    ),
    ...[0, inputSteps / 2, inputSteps].flatMap((steps) => [
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(steps)}" y2="${y(steps)}" stroke="#dddddd"/>`,
      text(LEFT - 8, y(steps) + 4, String(steps), 'end'),
    ]),
    ...actions.map(
      ({ startS, endS }) =>
        `<rect x="${x(startS)}" y="${TOP}" width="${x(endS) - x(startS)}" height="${HEIGHT - BOTTOM - TOP}" fill="#f2b134" opacity="0.16"/>`,
    ),
    ...clips.map(
      ({ startS, keptSteps }) =>
        `<rect x="${x(startS) + 1}" y="${y(keptSteps)}" width="${x(startS + stride) - x(startS) - 2}" height="${y(0) - y(keptSteps)}" fill="#2f6f9f"/>`,
    ),
    ...distinct(actions).map(({ label, startS, endS }) =>
      text((x(startS) + x(endS)) / 2, HEIGHT - 24, label, 'middle'),
    ),
    ...Array.from({ length: Math.floor(durationS / 5) + 1 }, (_, i) =>
      text(x(i * 5), HEIGHT - 8, `${i * 5} s`, 'middle'),
    ),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

/** Actions that two figures do at nearly the same time get one caption. */
function distinct(actions: readonly ChartAction[]): readonly ChartAction[] {
  return actions.filter(
    (action, index) =>
      !actions.slice(0, index).some((other) => other.label === action.label && other.endS > action.startS),
  );
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end' = 'start'): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#333333">${content}</text>`;
}
