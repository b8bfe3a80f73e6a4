import type { DeviceChoice, EngineKind } from '../engine-choice.ts';
import type { Model } from '../model.ts';
import { buildNetwork } from '../network/build.ts';
import type { NetworkOptions, SgsOptions } from '../network/graph.ts';
import { resolveSgs, type Similarity } from '../network/similarity.ts';
import type { ReuseOptions } from '../stream/reuse-settings.ts';
import { bindWeights } from '../weights/bind-weights.ts';
import { joinHeads } from '../weights/join-heads.ts';
import { loadModel } from '../weights/load-model.ts';
import { createUntrainedModel, type UntrainedModelOptions } from '../weights/untrained-model.ts';

/** Everything that a worker needs to build its engine; a structured clone of a few hundred bytes. */
export interface EngineSpec extends DeviceChoice {
  readonly engine: EngineKind;
  readonly model: ModelSpec;
  /** CPU threads that one call may use. Default: the engine's own choice. */
  readonly threads?: number;
  /**
   * How clips of a stream reuse steps, for engines that can; null: they do not. Default: where
   * frames are identical.
   */
  readonly reuse?: ReuseOptions | null;
  /** Clips that are computed at once, at most, by engines that can. Default: 1. */
  readonly maxClips?: number;
}

/** Which weights, by reference: the worker loads or makes them itself, so they never cross. */
export type ModelSpec =
  | {
      readonly kind: 'file';
      /** Model folder, manifest.json or .safetensors. */
      readonly path: string;
      /** Models whose heads share the pass, `path` among them, in place of its head alone. */
      readonly heads?: readonly { readonly name: string; readonly path: string }[];
      /** Differences from the manifest's network, e.g. another clip length. */
      readonly network?: Partial<NetworkOptions>;
      /** SGS for a model that brings none. */
      readonly sgsDefault?: SgsOptions;
      /** By what its SGS layer compares steps, in place of the model's own embedding. */
      readonly similarity?: Similarity;
    }
  | ({ readonly kind: 'untrained' } & UntrainedModelOptions);

/**
 * The model of a spec, its weights checked against the network that the spec asks for.
 * @throws ActionstreamError MODEL_INVALID, NETWORK_UNKNOWN
 */
export async function openModel(spec: ModelSpec): Promise<Model> {
  if (spec.kind === 'untrained') return createUntrainedModel(spec);
  const model = spec.heads ? await openHeads(spec.heads) : await loadModel(spec.path);
  const own = model.manifest.network;
  const { network: { sgs: forced } = {}, sgsDefault: fallback, similarity } = spec;
  const sgs = resolveSgs(own.sgs, { forced, fallback, similarity });
  const network = buildNetwork({ ...own, ...spec.network, ...(sgs && { sgs }) });
  const { weights } = bindWeights(network, model.weights, spec.path);
  return { ...model, manifest: { ...model.manifest, network: network.options }, weights };
}

async function openHeads(heads: readonly { readonly name: string; readonly path: string }[]): Promise<Model> {
  const models = await Promise.all(heads.map(({ path }) => loadModel(path)));
  const labels = models.map(({ manifest }) => manifest.labels);
  return {
    ...joinHeads(models),
    heads: heads.map(({ name }, index) => ({ name, labels: labels[index] ?? [] })),
  };
}
