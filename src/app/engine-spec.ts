import { findModel, looksLikePath } from '../inference/weights/find-model.ts';
import type { ModelChoice } from './model-choice.ts';
import { ActionstreamError } from '../core/errors.ts';
import { problemOfProvider } from '../inference/engine-choice.ts';
import { resolveSgs } from '../inference/network/similarity.ts';
import type { EngineSpec } from '../inference/worker/spec.ts';

/**
 * What the inference process opens for a choice of model: a path to a trained model, or a network name
 * of the S3D family for random weights.
 * @throws ActionstreamError USAGE, MODEL_INVALID, NETWORK_UNKNOWN
 */
export function engineSpecOf(choice: ModelChoice): EngineSpec {
  const { kind: engine, threads, provider, withoutGpu, reuse, repeatThreshold } = choice.engine;
  if (provider !== undefined) {
    const problem = problemOfProvider(engine, provider);
    if (problem !== undefined) throw new ActionstreamError('USAGE', problem);
  }
  return {
    engine,
    model: modelSpecOf(choice),
    ...(threads !== undefined && { threads }),
    ...(reuse === false ? { reuse: null } : repeatThreshold !== undefined && { reuse: { repeatThreshold } }),
    ...(provider !== undefined && { provider }),
    ...(withoutGpu !== undefined && { withoutGpu }),
  };
}

function modelSpecOf({
  model,
  heads,
  seed,
  network,
  sgs,
  sgsForced,
  similarity,
}: ModelChoice): EngineSpec['model'] {
  const trained = findModel(model);
  if (trained !== undefined) {
    const forced = sgsForced && sgs ? { sgs } : {};
    return {
      kind: 'file',
      path: trained,
      ...(heads && { heads: heads.map((name) => ({ name, path: pathOf(name) })) }),
      network: { ...network, ...forced },
      ...(sgs && { sgsDefault: sgs }),
      ...(similarity !== undefined && { similarity }),
    };
  }
  if (looksLikePath(model)) throw nowhere(model);
  if (heads) {
    throw new ActionstreamError('USAGE', `${model}: streams[].models takes trained models only`);
  }
  const resolved = resolveSgs(sgs, { similarity });
  return {
    kind: 'untrained',
    network: { ...network, ...(resolved && { sgs: resolved }), variant: model },
    seed,
  };
}

function pathOf(name: string): string {
  const path = findModel(name);
  if (path === undefined) throw nowhere(name);
  return path;
}

function nowhere(model: string): ActionstreamError {
  return new ActionstreamError(
    'MODEL_INVALID',
    `${model}: no such model folder, manifest.json or .safetensors file; check the path`,
  );
}
