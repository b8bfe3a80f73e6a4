import type { ClipStats, ModelReference, PipelineReference } from '../core/records.ts';
import { toRfc3339 } from '../core/time.ts';
import { clipReceiptOf } from './receipt.ts';
import { rounded, SCORE_DECIMALS } from './rounded.ts';
import type { ScoredClip } from './types.ts';

/** Enough to see what the model hesitated between; all of them would be most of the record. */
const BEST_SCORES = 5;

/** What a clip's statistics tell beyond the scored clip itself. */
export interface ClipStatsContext {
  readonly streamId: string;
  /** Only of files. */
  readonly runId?: string;
  /** Number of the clip within the stream. */
  readonly sequence: number;
  /** Frames in the clip, without padding. */
  readonly frames: number;
  readonly labels: readonly string[];
  readonly sampler: string;
  readonly model: ModelReference;
  readonly pipeline: PipelineReference;
}

/** The statistics record of one clip: its compute receipt and its five best scores, best first. */
export function clipStatsOf(clip: ScoredClip, context: ClipStatsContext): ClipStats {
  return {
    clip_id: clip.clipId,
    clip_seq: context.sequence,
    stream_id: context.streamId,
    ...(context.runId !== undefined && { run_id: context.runId }),
    clip_start: toRfc3339(clip.startMs),
    clip_end: toRfc3339(clip.endMs),
    segment: clip.segment,
    frames: context.frames,
    scores: bestScores(clip.scores, context.labels),
    compute: clipReceiptOf(clip, context.sampler),
    model: context.model,
    pipeline: context.pipeline,
  };
}

/** Equal scores in the order of labels, so that the record does not depend on the sort. */
function bestScores(scores: Float32Array, labels: readonly string[]): ClipStats['scores'] {
  return Array.from(scores, (score, id) => ({ label: labels[id] ?? String(id), score, id }))
    .sort((a, b) => b.score - a.score || a.id - b.id)
    .slice(0, BEST_SCORES)
    .map(({ label, score }) => ({ label, score: rounded(score, SCORE_DECIMALS) }));
}
