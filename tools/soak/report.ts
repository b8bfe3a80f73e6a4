import { median } from '../../src/core/median.ts';
import type { Sample } from './sample.ts';

export interface Finding {
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
  readonly good: boolean;
}

/** Caches fill and code is compiled in the first quarter; what grows after that, grows for ever. */
const WARM_UP = 0.25;
/** Heaps breathe by some 20 MiB; what a run of an hour shows beyond it is a leak. */
const MEBIBYTES_AN_HOUR = 1;
const GARBAGE_MEBIBYTES = 20;
/** A connection more or less at the moment of a sample. */
const DESCRIPTORS = 4;
const CHILDREN = 2;

/** @param rest when the sources are gone: nothing may be left of them */
export function judge(all: readonly Sample[], rest: Sample): readonly Finding[] {
  const samples = all.slice(Math.ceil(all.length * WARM_UP));
  const hours = ((samples.at(-1)?.atS ?? 0) - (samples[0]?.atS ?? 0)) / 3600;
  return [
    memoryFinding(
      'main process',
      samples.map((sample) => [sample.atS / 3600, sample.mainMebibytes] as const),
      hours,
    ),
    memoryFinding(
      'engine processes',
      samples.map((sample) => [sample.atS / 3600, sample.engineMebibytes] as const),
      hours,
    ),
    steadyFinding(
      'descriptors',
      samples.map(({ descriptors }) => descriptors),
      DESCRIPTORS,
    ),
    steadyFinding(
      'child processes',
      samples.map(({ children }) => children),
      CHILDREN,
    ),
    {
      what: 'descriptors once the cameras are gone',
      wanted: `≤ ${median(samples.map(({ descriptors }) => descriptors))}`,
      found: String(rest.descriptors),
      good: rest.descriptors <= median(samples.map(({ descriptors }) => descriptors)),
    },
    {
      what: 'clips scored between the first and the last sample',
      wanted: '> 0',
      found: String((samples.at(-1)?.clips ?? 0) - (samples[0]?.clips ?? 0)),
      good: (samples.at(-1)?.clips ?? 0) > (samples[0]?.clips ?? 0),
    },
  ];
}

function memoryFinding(part: string, points: readonly (readonly [number, number])[], hours: number): Finding {
  // An engine that is being replaced is not there, or twice, at the moment of a sample.
  const typical = median(points.map(([, mebibytes]) => mebibytes));
  const usual = points.filter(([, mebibytes]) => mebibytes > typical / 2 && mebibytes < typical * 1.5);
  const slope = slopeOf(usual);
  const allowed = MEBIBYTES_AN_HOUR * hours + GARBAGE_MEBIBYTES;
  return {
    what: `memory of the ${part}, growth over ${(hours * 60).toFixed(1)} min`,
    wanted: `≤ ${allowed.toFixed(1)} MiB`,
    found: `${(slope * hours).toFixed(1)} MiB (${slope.toFixed(1)} MiB/h at ${typical.toFixed(0)} MiB)`,
    good: slope * hours <= allowed,
  };
}

/** Of the last third of the samples against the first. */
function steadyFinding(what: string, counts: readonly number[], most: number): Finding {
  const third = Math.ceil(counts.length / 3);
  const [early, late] = [median(counts.slice(0, third)), median(counts.slice(-third))];
  return {
    what: `${what}, last third against first`,
    wanted: `at most ${most} more`,
    found: `${early} → ${late}`,
    good: late - early <= most,
  };
}

/** Theil–Sen: the median of all slopes between two points, which single outliers do not move. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points.flatMap(([x, y], n) =>
    points.slice(n + 1).map(([laterX, laterY]) => (laterY - y) / (laterX - x)),
  );
  return slopes.length === 0 ? 0 : median(slopes);
}

export function printReport(
  {
    samples,
    counts,
    findings,
  }: {
    readonly samples: readonly Sample[];
    readonly counts: ReadonlyMap<string, number>;
    readonly findings: readonly Finding[];
  },
  say: (text: string) => void,
): void {
  say('\nminute  main MiB  engine MiB  descriptors  children  journal MiB  clips');
  const start = samples[0]?.atS ?? 0;
  const shown = samples.filter((_, n) => n % Math.ceil(samples.length / 12) === 0);
  for (const {
    atS,
    mainMebibytes,
    engineMebibytes,
    descriptors,
    children,
    journalMebibytes,
    clips,
  } of shown) {
    const counted = [descriptors, children, clips];
    const cells = [
      (atS - start) / 60,
      mainMebibytes,
      engineMebibytes,
      descriptors,
      children,
      journalMebibytes,
      clips,
    ];
    const widths = [6, 10, 12, 13, 10, 13, 7];
    say(
      cells.map((cell, n) => cell.toFixed(counted.includes(cell) ? 0 : 1).padStart(widths[n] ?? 8)).join(''),
    );
  }
  say('');
  for (const [name, count] of counts) say(`${String(count).padStart(5)} × ${name}`);
  say('');
  for (const { what, wanted, found, good } of findings)
    say(`${good ? 'ok    ' : 'WRONG '} ${what}: ${found} (wanted ${wanted})`);
}
