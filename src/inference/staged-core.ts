import { planSampling, type Embeddings, type SamplerOptions, type SamplingPlan } from '../sampler/index.ts';
import { applyBoundary } from './apply-boundary.ts';
import { checkSampler } from './check-clip.ts';
import { ClipRun } from './clip-run.ts';
import { createComputeAccounting } from './compute-stats.ts';
import type { EngineCore, RunningRequest } from './engine-core.ts';
import type { EngineStages, LoweredPart, LowerPart } from './engine-stages.ts';
import type { EngineInfo, PixelClip, StreamPlace } from './engine.ts';
import { createKeptMaps } from './kept-maps.ts';
import type { ModelManifest } from './model.ts';
import type { Network } from './network/graph.ts';
import { scoresOf } from './postprocess.ts';
import { runGroups, type Of } from './run-groups.ts';
import { createStepReuse, outputOf, type LoweredClip } from './stream/step-reuse.ts';
import type { ReuseSettings } from './stream/reuse-settings.ts';
import { createMapReuse } from './stream/map-reuse.ts';

export interface StagedCoreOptions {
  readonly info: EngineInfo;
  readonly activation: ModelManifest['activation'];
  readonly network: Network;
  readonly stages: EngineStages;
  /** How clips of a stream reuse steps; needs stages that compute `continued` parts. */
  readonly reuse?: ReuseSettings | undefined;
  /** Name of the tensor library, for errors. */
  readonly runtime: string;
}

/** Takes clips through the two stages of a network: the same way for every engine. Owns the stages. */
export function createStagedCore(options: StagedCoreOptions): EngineCore {
  const { info, activation, network, stages, runtime } = options;
  const { engine, device } = info;
  const streams = options.reuse && createStepReuse(options.reuse);
  const maps = options.reuse && createMapReuse(network, options.reuse.geometry);
  const receiptOf = createComputeAccounting(network);
  const keptMaps = createKeptMaps();
  let running: Promise<void> = Promise.resolve();

  /**
   * Check, fetch what the streams have, lower stage, plan, upper stage, receipt. A clip that fails
   * is left out of what follows.
   */
  const runBatch = async (batch: readonly RunningRequest[]): Promise<void> => {
    const clips = batch.map((request) => ({ run: new ClipRun(request, runtime), value: request }));
    const fetched = each(clips, 'lowerMs', ({ clip, sampler, maps: kept }): ClipParts => {
      checkSampler(sampler, network);
      if (kept === 'kept') return loweredBefore(keptMaps.get(clip.clipId));
      return streams?.fetch(clip) ?? wholeClip(clip);
    });

    const missing = fetched.flatMap(({ run, value }) => value.missing.map((part) => ({ run, value: part })));
    const parts = await runGroups(missing, {
      keyOf: ({ left, frames }) => `${left} ${frames}`,
      atMost: stages.maxClips,
      stage: 'lowerMs',
      compute: (group, signal) => stages.lower(group, signal),
    });
    const lowered = each(fetched, 'lowerMs', (fetchedClip, { clip, maps: kept }) => {
      const finished = fetchedClip.finish(parts);
      if (kept === 'keep') keptMaps.keep(clip.clipId, finished);
      return finished;
    });

    const planned = each(lowered, 'samplerMs', ({ features, embeddings, reuse }, { sampler }) => {
      const known = reuse?.place && maps?.find(reuse.place, embeddings, sampler);
      const plan = known?.plan ?? planClip(network, embeddings, sampler);
      return { features, embeddings, reuse, plan, known };
    });

    const unknown = planned.filter(({ value }) => value.known === undefined);
    const logitsOf = hasUpper(stages)
      ? await runGroups(unknown, {
          keyOf: ({ plan }) => `${plan.outputLength}`,
          atMost: stages.maxClips,
          stage: 'upperMs',
          compute: (group, signal) => stages.upper(group, signal),
        })
      : new Map(unknown.map(({ value }) => [value, value.features]));

    for (const { run, value } of planned) {
      const { plan, known, reuse, embeddings } = value;
      const logits = known?.logits ?? logitsOf.get(value);
      if (!run.isWanted() || !logits) continue;
      const { clip, sampler, resolve } = run.request;
      if (reuse?.place && !known) maps?.keep(reuse.place, embeddings, sampler, { plan, logits });
      const keptSteps = plan.outputLength;
      const compute = receiptOf({
        ...{ sampler: sampler.kind, keptSteps, engine, device },
        ...run.spent,
        ...(reuse && { reuse: { ...reuse, reusedKeptSteps: known ? keptSteps : 0 } }),
      });
      resolve({ clipId: clip.clipId, logits, scores: scoresOf(logits, activation), plan, compute });
    }
  };

  return {
    info,
    run: (batch) => (running = runBatch(batch)),
    closeStream: (id) => {
      streams?.close(id);
      maps?.close(id);
    },
    forgetMaps: (clipId) => {
      keptMaps.forget(clipId);
    },
    release: async () => {
      await running;
      await stages.release();
    },
  };
}

/**
 * What `work` gives for each clip that is wanted, its time counted for the stage; where it throws,
 * that clip fails.
 */
function each<A, B extends object>(
  items: readonly Of<A>[],
  stage: keyof ClipRun['spent'],
  work: (value: A, request: RunningRequest) => B,
): readonly Of<B>[] {
  return items.flatMap(({ run, value }) => {
    const made = run.attempt(stage, () => work(value, run.request));
    return made === undefined ? [] : [{ run, value: made }];
  });
}

function hasUpper(stages: EngineStages): stages is Required<EngineStages> {
  return stages.upper !== undefined;
}

/** What the lower stage must compute of a clip, and what becomes of that. */
interface ClipParts {
  readonly missing: readonly LowerPart[];
  finish(outputs: ReadonlyMap<LowerPart, LoweredPart>): FinishedClip;
}

type FinishedClip = LoweredPart & {
  readonly reuse?: Omit<NonNullable<LoweredClip['reuse']>, 'place'> & { readonly place?: StreamPlace };
};

/** A clip that was here before, under another sampler: its stream goes on as if it had not come again. */
function loweredBefore(lowered: LoweredPart): ClipParts {
  const reuse = { runs: [], reusedSteps: lowered.embeddings.length };
  return { missing: [], finish: () => ({ ...lowered, reuse }) };
}

/** A clip that reuses nothing. */
function wholeClip({ data: pixels, frames }: PixelClip): ClipParts {
  const part = { pixels, frames, left: 'padded' } as const;
  return { missing: [part], finish: (outputs) => outputOf(outputs, part) };
}

/**
 * The plan of a clip of a stream is that of the clip alone: boundary steps then have real features,
 * but take part by the embedding of their neighbour, as in clips by themselves (ADR 0019).
 */
function planClip(network: Network, embeddings: Embeddings, sampler: SamplerOptions): SamplingPlan {
  const readsEmbeddings = sampler.kind !== 'none' && sampler.kind !== 'uniform';
  return planSampling(readsEmbeddings ? applyBoundary(network, embeddings) : embeddings, sampler);
}
