import { ActionstreamError } from '../core/errors.ts';
import type { ActionEvent, EndReason } from '../core/records.ts';
import { actionEventOf } from './action-event.ts';
import { windowOf } from './clip-window.ts';
import { LabelEpisodes } from './label-episodes.ts';
import type { EpisodeChange } from './label-episodes.ts';
import { policiesOf } from './policy.ts';
import { rounded, SCORE_DECIMALS } from './rounded.ts';
import type { EpisodeTracker, EpisodeTrackerOptions, ScoredClip } from './types.ts';

/** Two sums of doubles that are equal on paper differ by less. */
const ROUNDING_MS = 0.5;

/**
 * Episodes of one stream: one state machine a label (label-episodes.ts), fed with clips in
 * order. A clip of another segment first ends what is open (`discontinuity`). Time that no clip
 * covers, because clips were dropped or failed, ends what it is too long for (`not_watched`).
 * Events of one clip come in the order of labels. Scores are rounded to the decimals that are
 * published, so that an event shows the very numbers that were compared with the thresholds.
 *
 * @throws CONFIG_INVALID for a policy that contradicts itself or names an unknown label. `observe` throws
 *   ENGINE_FAILED for scores that are not one finite number a label, and leaves the episodes as they were.
 */
export function createEpisodeTracker(options: EpisodeTrackerOptions): EpisodeTracker {
  const labels = policiesOf(options).map((policy) => policy && new LabelEpisodes(policy));
  let newest: ScoredClip | undefined;
  let followsOnNone = true;

  const eventsOf = (
    clip: ScoredClip,
    step: (label: LabelEpisodes, id: number) => readonly EpisodeChange[],
  ): readonly ActionEvent[] =>
    labels.flatMap((label, id) =>
      (label ? step(label, id) : []).map((change) => actionEventOf(change, id, { options, newest: clip })),
    );

  const close = (reason: EndReason): readonly ActionEvent[] => {
    followsOnNone = true;
    if (!newest) return [];
    const last = newest;
    return eventsOf(last, (label) => label.close(reason, last));
  };

  const endBefore = (clip: ScoredClip): readonly ActionEvent[] => {
    if (!newest) return [];
    const last = newest;
    if (last.segment !== clip.segment) return close('discontinuity');
    const unseenMs = clip.startMs - last.endMs - plannedHoleMs(last, options.strideMs);
    if (unseenMs <= ROUNDING_MS) return [];
    followsOnNone = true;
    return eventsOf(last, (label) => label.skip(unseenMs, last));
  };

  return {
    observe(clip) {
      checkScores(clip, options);
      const ended = endBefore(clip);
      const window = windowOf(clip, options.strideMs, followsOnNone);
      newest = clip;
      followsOnNone = false;
      const scoreOf = (id: number): number => rounded(clip.scores[id] ?? 0, SCORE_DECIMALS);
      return [...ended, ...eventsOf(clip, (label, id) => label.observe(clip, window, scoreOf(id)))];
    },
    close,
    get openEpisodes() {
      return labels.filter((label) => label?.open === true).length;
    },
  };
}

/** Time between two clips that the settings leave out: a stride longer than the clip. */
function plannedHoleMs({ startMs, endMs }: ScoredClip, strideMs: number): number {
  return Math.max(0, strideMs - (endMs - startMs));
}

function checkScores({ clipId, scores }: ScoredClip, { labels, model }: EpisodeTrackerOptions): void {
  if (scores.length !== labels.length) {
    throw new ActionstreamError(
      'ENGINE_FAILED',
      `clip ${clipId}: ${scores.length} scores for the ${labels.length} labels of model ${model.id}`,
    );
  }
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0) {
    throw new ActionstreamError(
      'ENGINE_FAILED',
      `clip ${clipId}: the score of "${labels[bad] ?? ''}" is ${String(scores[bad])}`,
    );
  }
}
