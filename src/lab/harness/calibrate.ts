import { ActionstreamError } from '../../core/errors.ts';
import {
  agreementOf,
  decisionsAtLeast,
  type ComparedWindow,
  type ScoredRun,
} from '../evaluation/agreement.ts';
import type { InferenceEngine } from '../../inference/engine.ts';
import { DEFAULT_SAMPLER, type OrderedOptions } from '../../sampler/index.ts';
import { samplerOptions, type ModelChoice } from '../../app/model-choice.ts';
import type { SamplerSettings } from '../../config/index.ts';
import {
  refuseEmbedding,
  scoreWindow,
  thresholdsOf,
  windowsOf,
  type WindowsRequest,
} from './compare-windows.ts';
import type { EvaluationContext } from './evaluate.ts';
import type { EvaluationObserver } from './types.ts';

export interface CalibrationRequest extends WindowsRequest {
  readonly model: ModelChoice;
  readonly sampler: SamplerSettings;
  /** Share of decisions that must be the dense network's. */
  readonly agreement: number;
  readonly seed: number;
}

/** What a stream's settings take over: the largest δ found, and what it holds on this footage. */
export interface Calibration {
  readonly delta: number;
  readonly agreement: number;
  readonly agreement_low: number;
  readonly multiply_adds_ratio: number;
  readonly windows: number;
}

/** Of the model's δ: a factor of two each, then three in between. */
const LADDER = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32, 64];
const BETWEEN = 3;

/**
 * The largest δ at which the decisions of a network under `ordered` agree with those of all steps, on
 * the given videos. The lower stage runs once per window, and every δ is tried on its maps. The first
 * pass tries a ladder over three orders of magnitude. The second tries values between the last δ that
 * holds and the first that does not. A δ counts only where every smaller one tried holds too. Where none
 * holds, δ is 0, which keeps every step that differs at all.
 */
export async function calibrate(
  request: CalibrationRequest,
  observer: Pick<EvaluationObserver, 'onReady' | 'onVideo'>,
  context: EvaluationContext,
): Promise<Calibration> {
  await using engine = await context.openEngine(request.model);
  const { info } = engine;
  refuseEmbedding(info);
  const sampler = orderedOf(request, info.sampler);
  const thresholds = thresholdsOf(info);
  observer.onReady(info, 2 * request.videos.length);
  const pass = (widths: readonly number[]): Promise<Tried> =>
    tryWidths({ request, engine, sampler, widths, observer }, context);

  const first = await pass([0, ...LADDER.map((factor) => factor * (sampler.width || FALLBACK_WIDTH))]);
  const holds = (windows: readonly ComparedWindow[]): boolean =>
    agreementOf(windows, thresholds).decisions >= request.agreement;
  const [low, high] = bracket(first, holds);
  const second = high === undefined || low === 0 ? new Map() : await pass(between(low, high));
  const tried: Tried = new Map([...first, ...second].sort(([a], [b]) => a - b));
  const [delta] = bracket(tried, holds);
  const windows = tried.get(delta) ?? [];
  if (windows.length === 0) throw new ActionstreamError('SOURCE_NO_VIDEO', 'the videos hold no frame');
  const { decisions, multiply_adds_ratio } = agreementOf(windows, thresholds);
  return {
    delta,
    agreement: decisions,
    agreement_low: decisionsAtLeast(windows, thresholds, request.seed),
    multiply_adds_ratio,
    windows: windows.length,
  };
}

/** Where the model's δ is 0. */
const FALLBACK_WIDTH = 0.05;

/** Windows by δ, smallest first. */
type Tried = ReadonlyMap<number, readonly ComparedWindow[]>;

function orderedOf(
  { sampler: settings }: CalibrationRequest,
  own: Parameters<typeof samplerOptions>[1],
): OrderedOptions {
  const fallback = own?.kind === 'ordered' ? own : DEFAULT_SAMPLER;
  const sampler = samplerOptions({ ...settings, kind: settings.kind ?? 'ordered' }, fallback);
  if (sampler.kind === 'ordered') return { ...sampler, anchor: 'clip' };
  throw new ActionstreamError(
    'USAGE',
    `--sampler ${sampler.kind} has no δ to calibrate: leave it out, or name ordered`,
  );
}

async function tryWidths(
  {
    request,
    engine,
    sampler,
    widths,
    observer,
  }: {
    readonly request: CalibrationRequest;
    readonly engine: InferenceEngine;
    readonly sampler: OrderedOptions;
    readonly widths: readonly number[];
    readonly observer: Pick<EvaluationObserver, 'onVideo'>;
  },
  context: Parameters<typeof windowsOf>[2],
): Promise<Tried> {
  const tried = new Map<number, ComparedWindow[]>(widths.map((width) => [width, []]));
  for (const video of request.videos) {
    for await (const window of windowsOf({ ...request, videos: [video] }, engine.info, context)) {
      const score = (options: OrderedOptions | { readonly kind: 'none' }): Promise<ScoredRun> =>
        scoreWindow(engine, window, { sampler: options, as: '', signal: context.signal });
      const dense = await score({ kind: 'none' });
      for (const [width, sampled] of await eachWidth(widths, dense, (one) =>
        score({ ...sampler, width: one }),
      ))
        tried.get(width)?.push({ block: window.block, dense, sampled });
    }
    observer.onVideo(video);
  }
  return tried;
}

/**
 * From the largest δ down. Once every step is kept, each smaller one keeps them too and gives the dense
 * scores.
 */
async function eachWidth(
  widths: readonly number[],
  dense: ScoredRun,
  score: (width: number) => Promise<ScoredRun>,
): Promise<readonly (readonly [number, ScoredRun])[]> {
  const scored: [number, ScoredRun][] = [];
  let all: ScoredRun | undefined;
  for (const width of widths.toSorted((a, b) => b - a)) {
    const run = all ?? (await score(width));
    if (run.keptSteps === dense.keptSteps) all = run;
    scored.push([width, run]);
  }
  return scored;
}

/** The last δ up to which every one holds (0 where none does), and the first that does not. */
function bracket(
  tried: Tried,
  holds: (windows: readonly ComparedWindow[]) => boolean,
): readonly [low: number, high: number | undefined] {
  let low = 0;
  for (const [width, windows] of tried) {
    if (!holds(windows)) return [low, width];
    low = width;
  }
  return [low, undefined];
}

/** Evenly spread in their logarithm. */
function between(low: number, high: number): readonly number[] {
  return Array.from({ length: BETWEEN }, (_, i) => low * (high / low) ** ((i + 1) / (BETWEEN + 1)));
}
