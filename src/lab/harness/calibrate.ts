import { ActionstreamError } from '../../core/errors.ts';
import { Resources } from '../../core/resources.ts';
import {
  agreementOf,
  blocksNeeded,
  decisionsAtLeast,
  heldDecisions,
  type ComparedWindow,
  type ScoredRun,
} from '../evaluation/agreement.ts';
import type { EngineInfo, InferenceEngine } from '../../inference/engine.ts';
import { DEFAULT_SAMPLER, type OrderedOptions } from '../../sampler/index.ts';
import { samplerOptions, type ModelChoice } from '../../app/model-choice.ts';
import type { SamplerSettings } from '../../config/index.ts';
import { omit } from '../../config/omit.ts';
import { LAYER_KEYS } from '../../config/sampler-schema.ts';
import { refuseEmbedding, scoreWindow, thresholdsOf, windowsOf } from './compare-windows.ts';
import type { EvaluationContext } from './evaluate.ts';
import type { Footage } from './footage.ts';
import { openFootage, type FootageRequest } from './open-footage.ts';
import type { EvaluationObserver } from './types.ts';

export interface CalibrationRequest extends FootageRequest {
  /** Of each source the first so many windows; absent: all. */
  readonly most?: number;
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

/** How much the footage can prove. Only windows in which something moves try a δ. */
export interface CalibrationEvidence {
  /** Windows that do not overlap, and those of them in which something moves. */
  readonly blocks: number;
  readonly moving: number;
  /** Of those in which something moves, so many must agree before the asked share is shown. */
  readonly needed: number;
}

export interface CalibrationResult {
  readonly calibration: Calibration;
  readonly evidence: CalibrationEvidence;
  /** `sampler` of a stream that is to sample as was calibrated, by the keys of the configuration file. */
  readonly settings: Readonly<Record<string, string | number>>;
}

/** Of the model's δ: a factor of two each, then three in between. */
const LADDER = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32, 64];
const BETWEEN = 3;

/**
 * The largest δ at which the decisions of a network under `ordered` agree with those of all steps, on
 * the given footage. Per window the lower stage runs once for all steps and once for sampling, and every δ
 * is tried on the latter's maps. The first pass tries a ladder over three orders of magnitude. The second
 * tries values between the last δ that holds and the first that does not. A δ counts only where every
 * smaller one tried holds too. Where none holds, δ is 0, which keeps every step that differs at all. Of δ
 * that keep the same steps, the smallest is taken.
 */
export async function calibrate(
  request: CalibrationRequest,
  observer: Pick<EvaluationObserver, 'onReady' | 'onVideo' | 'onNote'>,
  context: EvaluationContext,
): Promise<CalibrationResult> {
  await using engine = await context.openEngine(request.model);
  const { info } = engine;
  refuseEmbedding(info);
  const sampler = orderedOf(request, info.sampler);
  const thresholds = thresholdsOf(info);
  await using recordings = new Resources();
  observer.onReady(info, 2 * request.sources.length);
  const footage = await openFootage(request, { info, observer, recordings, context });
  const pass = (widths: readonly number[]): Promise<Tried> =>
    tryWidths({ request, footage, engine, sampler, widths, observer }, context.signal);

  const first = await pass([
    0,
    ...LADDER.map((factor) => asWritten(factor * (sampler.width || FALLBACK_WIDTH))),
  ]);
  const holds = (windows: readonly ComparedWindow[]): boolean =>
    heldDecisions(windows, thresholds) >= request.agreement;
  if (first.get(0)?.length === 0) throw noWindow(request, info);
  const [low, high] = bracket(first, holds);
  const second = high === undefined || low === 0 ? new Map() : await pass(between(low, high));
  const tried: Tried = new Map([...first, ...second].sort(([a], [b]) => a - b));
  const delta = leastAlike(tried, bracket(tried, holds)[0]);
  const windows = tried.get(delta) ?? [];
  const calibration = {
    delta,
    agreement: heldDecisions(windows, thresholds),
    agreement_low: decisionsAtLeast(windows, thresholds, request.seed),
    multiply_adds_ratio: agreementOf(windows, thresholds).multiply_adds_ratio,
    windows: windows.length,
  };
  const needed = blocksNeeded(request.agreement, windows, thresholds);
  return { calibration, evidence: { ...evidenceOf(first), needed }, settings: settingsOf(request, delta) };
}

function settingsOf({ sampler }: CalibrationRequest, delta: number): CalibrationResult['settings'] {
  const own = { kind: 'ordered', ...omit(sampler, [...LAYER_KEYS, 'kind', 'width']), width: delta };
  const outer = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(own).map(([key, value]) => [outer(key), value]));
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

interface Trial {
  readonly request: CalibrationRequest;
  readonly footage: readonly Footage[];
  readonly engine: InferenceEngine;
  readonly sampler: OrderedOptions;
  readonly widths: readonly number[];
  readonly observer: Pick<EvaluationObserver, 'onVideo'>;
}

async function tryWidths(
  { request: { most }, footage, engine, sampler, widths, observer }: Trial,
  signal: AbortSignal,
): Promise<Tried> {
  const tried = new Map<number, ComparedWindow[]>(widths.map((width) => [width, []]));
  for (const one of footage) {
    const request = { footage: [one], sampler, ...(most !== undefined && { most }) };
    for await (const window of windowsOf(request, engine.info, signal)) {
      const dense = await scoreWindow(engine, window.dense, {
        ...{ sampler: { kind: 'none' }, as: 'dense', signal },
      });
      const score = (options: OrderedOptions): Promise<ScoredRun> =>
        scoreWindow(engine, window.sampled, { sampler: options, as: 'sampled', signal });
      for (const [width, sampled] of await eachWidth(widths, dense, (one) =>
        score({ ...sampler, width: one }),
      ))
        tried.get(width)?.push({ block: window.block, dense, sampled });
    }
    observer.onVideo(one.name);
  }
  return tried;
}

function noWindow({ sources }: CalibrationRequest, info: EngineInfo): ActionstreamError {
  const names = sources.map(({ streamId }) => streamId).join(', ');
  const problem = `${names}: no window of ${info.frames} frames at ${info.clip.fps} a second was seen: watch longer (--duration)`;
  return new ActionstreamError('SOURCE_NO_VIDEO', problem);
}

/** @param tried of the smallest δ above 0, a window in which something moves keeps more than one step */
function evidenceOf(tried: Tried): Omit<CalibrationEvidence, 'needed'> {
  const windows = [...tried].find(([width]) => width > 0)?.[1] ?? [];
  const blocksOf = (some: readonly ComparedWindow[]): number => new Set(some.map(({ block }) => block)).size;
  return {
    blocks: blocksOf(windows),
    moving: blocksOf(windows.filter(({ sampled }) => sampled.keptSteps > 1)),
  };
}

/** The smallest δ that keeps as many steps as `width` does. */
function leastAlike(tried: Tried, width: number): number {
  const keptOf = (windows: readonly ComparedWindow[] = []): number =>
    windows.reduce((sum, { sampled }) => sum + sampled.keptSteps, 0);
  const kept = keptOf(tried.get(width));
  return [...tried].find(([, windows]) => keptOf(windows) === kept)?.[0] ?? width;
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
  return Array.from({ length: BETWEEN }, (_, i) =>
    asWritten(low * (high / low) ** ((i + 1) / (BETWEEN + 1))),
  );
}

/** δ is tried as people will read and write it. */
function asWritten(width: number): number {
  return Number(width.toPrecision(4));
}
