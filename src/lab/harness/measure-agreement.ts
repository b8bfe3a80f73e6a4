import { readClipList } from '../datasets/read-clip-list.ts';
import type { ClipListFormat } from '../datasets/read-clip-list.ts';
import { agreementOf, type Agreement, type ComparedWindow } from '../evaluation/agreement.ts';
import { ActionstreamError } from '../../core/errors.ts';
import { samplerOptions, type ModelChoice } from '../../app/model-choice.ts';
import type { SamplerSettings } from '../../config/index.ts';
import {
  refuseEmbedding,
  scoreWindow,
  thresholdsOf,
  videosIn,
  windowsOf,
  type WindowsRequest,
} from './compare-windows.ts';
import type { EvaluationContext } from './evaluate.ts';
import { footageOfVideo } from './footage.ts';
import type { EvaluationObserver } from './types.ts';

export interface AgreementRequest extends Pick<WindowsRequest, 'most'> {
  readonly window: { readonly fps?: number; readonly stride?: number };
  /** A list of labelled clips, or a folder of videos. */
  readonly footage:
    | {
        readonly data: string;
        readonly format: ClipListFormat;
        readonly split?: string;
        readonly videos?: string;
        readonly datasets: readonly string[];
      }
    | { readonly folder: string };
  readonly model: ModelChoice;
  readonly sampler: SamplerSettings;
}

/**
 * How often the decisions of a network under its sampler equal those with every step, on the same
 * windows. No label is read. Bins begin with each clip.
 */
export async function measureAgreement(
  { footage, window, most, model, sampler: flags }: AgreementRequest,
  observer: Pick<EvaluationObserver, 'onReady' | 'onVideo'>,
  context: EvaluationContext,
): Promise<Agreement> {
  const { signal } = context;
  const videos = await footageOf(footage);
  await using engine = await context.openEngine(model);
  const { info } = engine;
  refuseEmbedding(info);
  const sampler = atEachClip(samplerOptions(flags, info.sampler));
  observer.onReady(info, videos.length);
  const windows: ComparedWindow[] = [];
  for (const video of videos) {
    const one = [footageOfVideo(video, window, context.env)];
    const request = { footage: one, sampler, ...(most !== undefined && { most }) };
    for await (const seen of windowsOf(request, info, signal)) {
      const dense = await scoreWindow(engine, seen.dense, { sampler: { kind: 'none' }, as: 'dense', signal });
      const sampled = await scoreWindow(engine, seen.sampled, { sampler, as: 'sampled', signal });
      windows.push({ block: seen.block, dense, sampled });
    }
    observer.onVideo(video);
  }
  if (windows.length === 0) throw new ActionstreamError('SOURCE_NO_VIDEO', 'the videos hold no frame');
  return agreementOf(windows, thresholdsOf(info));
}

async function footageOf(footage: AgreementRequest['footage']): Promise<readonly string[]> {
  if ('folder' in footage) return videosIn(footage.folder);
  const { datasets } = footage;
  const { clips } = await readClipList({ ...footage, path: footage.data });
  const wanted = clips.filter(({ dataset }) => datasets.length === 0 || datasets.includes(dataset));
  if (wanted.length === 0) {
    throw new ActionstreamError('INPUT_INVALID', `${footage.data}: holds no clip of ${datasets.join(', ')}`);
  }
  return [...new Set(wanted.map(({ path }) => path))];
}

function atEachClip<T extends ReturnType<typeof samplerOptions>>(sampler: T): T {
  return sampler.kind === 'ordered' ? { ...sampler, anchor: 'clip' } : sampler;
}
