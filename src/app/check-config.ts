import { loadConfig, resolveStream, type Config, type StreamSettings } from '../config/index.ts';
import { ActionstreamError, toActionstreamError } from '../core/errors.ts';
import { createEpisodeTracker } from '../events/index.ts';
import type { EngineInfo } from '../inference/engine.ts';
import type { ModelHead, ModelManifest } from '../inference/model.ts';
import { joinManifests } from '../inference/weights/join-heads.ts';
import { readManifest } from '../inference/weights/load-model.ts';
import { untrainedLabels } from '../inference/weights/untrained-model.ts';
import { composeSourceAddress } from '../ingest/index.ts';
import type { AppContext } from './context.ts';
import { engineSpecOf } from './engine-spec.ts';
import { configuredModel, samplerOptions } from './model-choice.ts';
import { ofItsModels } from './stream-settings.ts';

type Described = Pick<ModelManifest, 'id' | 'labels' | 'clip'> &
  Partial<ModelManifest> & { readonly heads?: readonly ModelHead[] };

/**
 * `validate`: loads a configuration file and asks the model as well.
 * @returns the number of streams, and a sentence where the model could not be asked
 * @throws CONFIG_INVALID naming every problem
 */
export async function validateFile(
  path: string,
  { env }: AppContext,
): Promise<{ readonly streams: number; readonly note: string | undefined }> {
  const config = loadConfig(path, { env });
  return { streams: config.streams.length, note: await checkConfig(config) };
}

/** `config print`: every setting with its value and where that came from. @throws CONFIG_INVALID */
export function effectiveSettings(path: string, { env }: AppContext): Config['effective'] {
  return loadConfig(path, { env }).effective;
}

/**
 * Checks a configuration against its model: labels that it names exist, and thresholds and samplers of
 * its streams make sense with the model's own. Weights are not read.
 * @returns a sentence where the model is not on this machine, so that nothing was checked
 * @throws CONFIG_INVALID, SAMPLER_INVALID as `run` would
 */
export async function checkConfig(config: Config): Promise<string | undefined> {
  let model: Described;
  try {
    model = await describeModel(config);
  } catch (error) {
    return `labels were not checked: ${toActionstreamError(error).message}`;
  }
  for (const stream of config.streams) checkStream(stream, model, config.instance);
  return undefined;
}

/**
 * Checks a stream against the models that run, and its address.
 * @param atStart the configuration that the models were loaded for
 * @throws CONFIG_INVALID, SAMPLER_INVALID
 */
export function checkAgainst(
  stream: StreamSettings,
  info: EngineInfo,
  atStart: Pick<Config, 'instance' | 'model' | 'streams'>,
): void {
  const loaded = [atStart.model.model, ...atStart.streams.flatMap(({ models = [] }) => models)];
  const missing = stream.models?.find((name) => !loaded.includes(name));
  if (missing !== undefined) {
    throw new ActionstreamError(
      'CONFIG_INVALID',
      `models: ${missing} is not loaded; name it in the configuration file and restart`,
    );
  }
  const { model, labels, clip, backgroundId, thresholds, sampler, heads } = info;
  const background = backgroundId === undefined ? undefined : labels[backgroundId];
  const described = {
    ...{ id: model.id, labels, clip, sampler },
    ...(background !== undefined && { background }),
    ...(thresholds && { thresholds }),
    ...(heads && { heads }),
  };
  checkStream(stream, described, atStart.instance);
  composeSourceAddress(stream);
}

/** @throws CONFIG_INVALID, SAMPLER_INVALID as `run` would */
function checkStream(
  stream: StreamSettings,
  { id, labels, background, clip, thresholds, sampler, heads }: Described,
  instance: string,
): void {
  const backgroundId = background === undefined ? {} : { backgroundId: labels.indexOf(background) };
  const known = { frames: 1, width: 1, height: 1, clip, ...(thresholds && { thresholds }) };
  const own = ofItsModels(stream, { labels, ...backgroundId, ...(heads && { heads }) });
  const { episodes } = resolveStream(own, known, '');
  createEpisodeTracker({
    ...episodes,
    ...backgroundId,
    ...{ streamId: stream.streamId, labels, clockSource: 'media', uncertaintyMs: 0 },
    sampler: samplerOptions(stream.sampler, sampler).kind,
    model: { id, version: '', digest: '' },
    pipeline: { instance, version: '' },
  });
}

async function describeModel(config: Config): Promise<Described> {
  const { model } = engineSpecOf(configuredModel(config));
  if (model.kind === 'file') return model.heads ? describeHeads(model.heads) : readManifest(model.path);
  return {
    id: `untrained-${config.model.model}`,
    labels: untrainedLabels(model),
    clip: { fps: 1, stride: 1 },
  };
}

async function describeHeads(
  heads: readonly { readonly name: string; readonly path: string }[],
): Promise<Described> {
  const manifests = await Promise.all(heads.map(({ path }) => readManifest(path)));
  const labels = heads.map(({ name }, index) => ({ name, labels: manifests[index]?.labels ?? [] }));
  return { ...joinManifests(manifests), heads: labels };
}
