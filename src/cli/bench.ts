import path from 'node:path';
import { Argument, type Command } from 'commander';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import { DEFAULT_MODEL } from '../inference/model.ts';
import type { BenchPart, BenchRequest } from '../lab/bench/types.ts';
import { printJson, printLine, printTable, type CliIo } from './io.ts';
import { collect, positiveInteger } from './options.ts';
import { createProgress } from './progress.ts';

/** Everything that the laboratory measures, in its order. */
const PARTS = ['clip', 'model', 'stages', 'reuse', 'streams'] as const satisfies readonly BenchPart[];

interface BenchFlags {
  readonly quick?: true;
  readonly peer?: string;
  readonly out: string;
  readonly threads: number;
  readonly model: string;
  readonly video: readonly string[];
  readonly streams?: readonly number[];
  readonly seconds?: number;
  readonly settings?: object;
  readonly json?: true;
}

/** `bench [PART…]`: how fast, on this machine, beside a pipeline of PyTorch and OpenCV. */
export function addBenchCommand(program: Command, io: CliIo): void {
  program
    .command('bench')
    .description(
      'measure clips, stages and streams at real time, with a peer in turn; see docs/benchmarks.md',
    )
    .addArgument(new Argument('[part...]', 'what to measure (default: all that can be)').choices(PARTS))
    .option('--quick', 'smaller shapes and fewer rounds: minutes instead of a quarter of an hour')
    .option('--peer <python>', 'a Python with torch and opencv-python-headless, to measure beside')
    .option(
      '--out <dir>',
      'folder of results.json and plots; parts measured before are kept',
      'bench-results',
    )
    .option('--threads <n>', 'CPU threads of an inference', positiveInteger, 2)
    .option('--model <path|name>', 'trained model of the parts model and streams', DEFAULT_MODEL)
    .option('--video <file>', 'video of a fixed camera, for streams; may be given several times', collect, [])
    .option('--streams <n,n,…>', 'numbers of streams to try, rising (default: 1,2,4,8,16,24,32)', countList)
    .option('--seconds <s>', 'seconds that a number of streams is measured (default: 20)', positiveInteger)
    .option('--settings <json>', 'configuration of `run` laid over the measured one', jsonObject)
    .option('--json', 'results as JSON on standard output')
    .action(async (parts: readonly BenchPart[], flags: BenchFlags) => {
      const progress = createProgress(io.stderr);
      const say = (message: string): void => {
        progress.clear();
        printLine(io.stderr, message);
      };
      const { bench } = await import('../lab/index.ts');
      const outcome = await bench(requestOf(parts, flags), say, io);
      if (flags.json) printJson(io.stdout, { ratios: outcome.ratios, ...outcome.results });
      else
        printTable(
          io.stdout,
          outcome.ratios.map(({ name, value, detail }) => [name, value, detail]),
        );
      printLine(io.stderr, `written: ${outcome.files.map((file) => path.relative('.', file)).join(', ')}`);
    });
}

function requestOf(parts: readonly BenchPart[], flags: BenchFlags): BenchRequest {
  const { quick = false, peer, out, threads, model, video, streams, seconds, settings } = flags;
  const able = PARTS.filter((part) => part !== 'streams' || video.length > 0);
  return {
    parts: parts.length > 0 ? parts : able,
    quick,
    out,
    threads,
    model,
    videos: video,
    counts: streams ?? (quick ? [1, 4] : [1, 2, 4, 8, 16, 24, 32]),
    seconds: seconds ?? (quick ? 8 : 20),
    ...(peer !== undefined && { python: peer }),
    ...(settings && { settings }),
  };
}

function countList(text: string): readonly number[] {
  return text
    .split(',')
    .map(positiveInteger)
    .sort((a, b) => a - b);
}

function jsonObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    throw new ActionstreamError('USAGE', `--settings: ${messageOf(error)}`);
  }
  throw new ActionstreamError('USAGE', '--settings must be a JSON object, such as {"sampler":{"width":0.8}}');
}
