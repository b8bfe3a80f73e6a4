import { touches, type Region, type Zone } from '../core/region.ts';
import type { ActionEvent } from '../core/records.ts';
import { toRfc3339 } from '../core/time.ts';
import { episodeIdOf } from './episode-id.ts';
import type { EpisodeChange } from './label-episodes.ts';
import { episodeReceiptOf } from './receipt.ts';
import { rounded, SCORE_DECIMALS } from './rounded.ts';
import type { EpisodeTrackerOptions, ScoredClip } from './types.ts';

/** The payload of one change, made when `newest` had been scored. */
export function actionEventOf(
  change: EpisodeChange,
  labelId: number,
  { options, newest }: { readonly options: EpisodeTrackerOptions; readonly newest: ScoredClip },
): ActionEvent {
  const { streamId, about, runId, writerEpoch, clockSource, uncertaintyMs } = options;
  const { state, onset, extent, sums } = change;
  const label = options.labels[labelId] ?? String(labelId);
  return {
    episode_id: episodeIdOf(options, label, onset.ms),
    sequence: change.sequence,
    state,
    ...(change.endReason !== undefined && { end_reason: change.endReason }),
    stream_id: streamId,
    ...(about && { stream: about }),
    ...(runId !== undefined && { run_id: runId }),
    ...(writerEpoch !== undefined && { writer_epoch: writerEpoch }),
    label,
    label_id: labelId,
    ...placeOf(sums.region, options.zones),
    score: {
      peak: rounded(sums.scorePeak, SCORE_DECIMALS),
      mean: rounded(sums.scoreSum / sums.clips, SCORE_DECIMALS),
      last: rounded(change.lastScore, SCORE_DECIMALS),
    },
    started_at: toRfc3339(onset.ms),
    ...(state === 'ended' && { ended_at: toRfc3339(extent.ms) }),
    duration_ms: Math.round(extent.ms) - Math.round(onset.ms),
    resolution_ms: Math.round(options.strideMs),
    time: {
      clock_source: clockSource,
      uncertainty_ms: sums.uncertaintyMs ?? uncertaintyMs,
      ingested_at: toRfc3339(newest.ingestedAtMs),
      processed_at: toRfc3339(newest.processedAtMs),
    },
    media: {
      first_pts_us: Math.round(onset.us),
      last_pts_us: Math.round(extent.us),
      segment: change.segment,
    },
    clips: sums.clips,
    compute: episodeReceiptOf(sums, newest, options.sampler),
    model: options.model,
    pipeline: options.pipeline,
  };
}

const REGION_DECIMALS = 3;

function placeOf(
  region: Region | undefined,
  zones: readonly Zone[] = [],
): Pick<ActionEvent, 'region' | 'zones'> {
  if (!region) return {};
  const [left, top] = [rounded(region.x, REGION_DECIMALS), rounded(region.y, REGION_DECIMALS)];
  const touched = zones.filter(({ kind, points }) => kind === 'include' && touches(region, points));
  return {
    region: {
      ...{ x: left, y: top },
      width: rounded(region.x + region.width - left, REGION_DECIMALS),
      height: rounded(region.y + region.height - top, REGION_DECIMALS),
    },
    ...(touched.length > 0 && { zones: [...new Set(touched.map(({ name }) => name))] }),
  };
}
