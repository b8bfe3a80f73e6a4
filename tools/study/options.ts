import path from 'node:path';
import { parseArgs } from 'node:util';

const PHASES = ['train', 'time', 'predict', 'report'] as const;
export type Phase = (typeof PHASES)[number];

export interface StudyOptions {
  readonly phases: ReadonlySet<Phase>;
  /** A model to study instead of networks of our own. */
  readonly model?: string;
  /** Prefix of what is written: `study`, or `study-<model>`. */
  readonly name: string;
  readonly data: string;
  readonly split: string;
  /** Trained networks, predictions and times: what a second run goes on from. */
  readonly out: string;
  readonly models: string;
  readonly results: string;
  readonly images: string;
  readonly seeds: readonly number[];
  readonly rounds: number;
  readonly threads: number;
  readonly longStride?: number;
  readonly python: string;
  /** Passed on to training/study.py. */
  readonly training: readonly string[];
}

const ROOT = path.join(import.meta.dirname, '..', '..');

const USAGE = `npm run study -- [train] [time] [predict] [report] [options]   (all four phases where none is named)
  --model DIR       study this model (its own weights and SGS) instead of training small networks
  --data DIR        folder with manifest.csv (../shared/data)   --split S   (shared-test)
  --out DIR         what a second run goes on from (.cache/study)
  --results DIR     table and JSON (bench/results)              --images DIR  plots (docs/images)
  --seeds 1,2,3     --rounds N of the time measurement (5)      --threads N   of the engine (1)
  --long-stride N   frames between windows of long videos (the model's own stride)
  --python FILE     with training/requirements.txt (python3)
  -- …              further options of training/study.py`;

/** @throws Error with the usage */
export function readOptions(args: readonly string[]): StudyOptions {
  const split = args.indexOf('--');
  const own = split < 0 ? args : args.slice(0, split);
  const { values, positionals } = parseArgs({
    args: [...own],
    allowPositionals: true,
    options: {
      model: { type: 'string' },
      data: { type: 'string', default: path.join(ROOT, '../shared/data') },
      split: { type: 'string', default: 'shared-test' },
      out: { type: 'string', default: path.join(ROOT, '.cache/study') },
      results: { type: 'string', default: path.join(ROOT, 'bench/results') },
      images: { type: 'string', default: path.join(ROOT, 'docs/images') },
      seeds: { type: 'string', default: '1,2,3' },
      rounds: { type: 'string', default: '5' },
      'long-stride': { type: 'string' },
      threads: { type: 'string', default: '1' },
      python: { type: 'string', default: process.env['ACTIONSTREAM_PYTHON'] ?? 'python3' },
    },
  });
  const unknown = positionals.find((phase) => !PHASES.some((known) => known === phase));
  if (unknown !== undefined) throw new Error(`no phase "${unknown}"\n${USAGE}`);
  const { model, 'long-stride': longStride } = values;
  return {
    phases: new Set(positionals.length > 0 ? (positionals as Phase[]) : PHASES),
    ...(model !== undefined && { model: path.resolve(model) }),
    name: model === undefined ? 'study' : `study-${path.basename(path.resolve(model))}`,
    data: values.data,
    split: values.split,
    out: values.out,
    models: path.join(values.out, 'models'),
    results: values.results,
    images: values.images,
    seeds: numbers(values.seeds, '--seeds'),
    rounds: numbers(values.rounds, '--rounds')[0]!,
    threads: numbers(values.threads, '--threads')[0]!,
    ...(longStride !== undefined && { longStride: numbers(longStride, '--long-stride')[0]! }),
    python: values.python,
    training: split < 0 ? [] : args.slice(split + 1),
  };
}

function numbers(text: string, option: string): readonly number[] {
  const found = text.split(',').map(Number);
  if (found.every((value) => Number.isInteger(value) && value >= 1)) return found;
  throw new Error(`${option}: expected whole numbers of 1 or more, not "${text}"\n${USAGE}`);
}
