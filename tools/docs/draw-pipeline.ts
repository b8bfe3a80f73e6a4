import { arrow, box, drawing, text } from './svg.ts';

const WIDTH = 980;
const HEIGHT = 262;
const TOP = 34;
const BODY = 150;
const STEP = 10;
const BLUE = '#2f6f9f';

/** The path of a clip, from a camera to the sinks, as SVG. */
export function drawPipeline(): string {
  const middle = TOP + BODY / 2;
  return drawing(WIDTH, HEIGHT, [
    stage(10, 118, 'sources', ['RTSP cameras', 'video files', 'HLS, SRT, RTMP']),
    arrow(128, middle, 148, middle),
    stage(150, 128, 'ingest', [
      'ffmpeg → frames',
      'frames → clips',
      'bounded queue:',
      'files wait, cameras',
      'drop and count',
    ]),
    arrow(278, middle, 298, middle),
    box(300, TOP, { width: 312, height: BODY }, { fill: '#f4f7fa', stroke: BLUE, radius: 6 }),
    text(456, TOP - 8, 'inference', { anchor: 'middle', bold: true }),
    ...steps(312, TOP + 20, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], '#9fbfd6'),
    text(312, TOP + 66, 'lower stage: 12 steps'),
    arrow(436, TOP + 34, 464, TOP + 34),
    text(450, TOP + 20, 'SGS', { anchor: 'middle', bold: true, colour: BLUE }),
    ...steps(470, TOP + 20, [5, 2, 5], BLUE),
    text(470, TOP + 66, 'upper stage: 3 steps'),
    text(312, TOP + 94, 'Steps that look alike become one step,'),
    text(312, TOP + 111, 'so the upper stage computes less.'),
    text(312, TOP + 138, 'scores + compute receipt', { bold: true }),
    arrow(612, middle, 628, middle),
    stage(630, 122, 'events', ['scores over time', '→ episodes:', 'started, updated,', 'ended']),
    arrow(752, middle, 772, middle),
    stage(774, 82, 'journal', ['on disk,', 'fsync,', 'crash-safe']),
    arrow(856, middle, 880, TOP + 20),
    arrow(856, middle, 880, middle),
    arrow(856, middle, 880, TOP + BODY - 20),
    sink(TOP, 'Kafka'),
    sink(TOP + BODY / 2 - 20, 'Postgres'),
    sink(TOP + BODY - 40, 'NDJSON'),
    text(
      WIDTH / 2,
      TOP + BODY + 36,
      'One process decodes and delivers; engine processes compute. All of it is one npm package.',
      {
        anchor: 'middle',
      },
    ),
    text(
      WIDTH / 2,
      TOP + BODY + 58,
      'A record that the journal holds reaches each sink at least once, in order per stream.',
      {
        anchor: 'middle',
      },
    ),
  ]);
}

function stage(x: number, width: number, title: string, lines: readonly string[]): string {
  return [
    box(x, TOP, { width, height: BODY }, { fill: '#f7f7f7', stroke: '#999999', radius: 6 }),
    text(x + width / 2, TOP - 8, title, { anchor: 'middle', bold: true }),
    ...lines.map((line, index) => text(x + 8, TOP + 26 + index * 22, line)),
  ].join('\n');
}

function sink(y: number, name: string): string {
  return [
    box(882, y, { width: 88, height: 40 }, { fill: '#f7f7f7', stroke: '#999999', radius: 6 }),
    text(926, y + 25, name, { anchor: 'middle' }),
  ].join('\n');
}

/** A clip's steps as a row of cells; a cell is as wide as the input steps that it stands for. */
function steps(x: number, y: number, spans: readonly number[], fill: string): readonly string[] {
  let at = x;
  return spans.map((span) => {
    const cell = box(at, y, { width: span * STEP - 2, height: 28 }, { fill, radius: 1 });
    at += span * STEP;
    return cell;
  });
}
