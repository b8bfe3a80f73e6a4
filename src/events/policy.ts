import { ActionstreamError } from '../core/errors.ts';
import type { EpisodePolicy, EpisodeTrackerOptions } from './types.ts';

/**
 * One policy a label; undefined for labels that never become an event: the background, and those not allowed.
 *
 * @throws CONFIG_INVALID for a policy that contradicts itself or names a label that the model lacks
 */
export function policiesOf(options: EpisodeTrackerOptions): readonly (EpisodePolicy | undefined)[] {
  const { labels, backgroundId, allow, defaultPolicy, policies } = options;
  for (const label of [...Object.keys(policies), ...(allow ?? [])]) {
    if (!labels.includes(label)) {
      throw new ActionstreamError(
        'CONFIG_INVALID',
        `stream ${options.streamId}: the model ${options.model.id} has no label "${label}"; it has ${listOf(labels)}`,
      );
    }
  }
  return labels.map((label, id) => {
    if (id === backgroundId || (allow && !allow.includes(label))) return undefined;
    const policy = { ...defaultPolicy, ...policies[label] };
    checkPolicy(policy, `stream ${options.streamId}, label "${label}"`);
    return policy;
  });
}

function checkPolicy(policy: EpisodePolicy, where: string): void {
  const { on, off, smoothing, minDurationMs, maxDurationMs } = policy;
  const wrong = (what: string): ActionstreamError =>
    new ActionstreamError('CONFIG_INVALID', `${where}: ${what}`);
  if (!(off <= on)) throw wrong(`off (${off}) must not be above on (${on})`);
  if (!(smoothing > 0 && smoothing <= 1))
    throw wrong(`smoothing (${smoothing}) must be above 0 and at most 1`);
  if (!(maxDurationMs > 0 && minDurationMs <= maxDurationMs)) {
    throw wrong(
      `max duration (${maxDurationMs} ms) must be above 0 and no less than min duration (${minDurationMs} ms)`,
    );
  }
}

function listOf(labels: readonly string[]): string {
  const shown = labels.slice(0, 8).join(', ');
  return labels.length > 8 ? `${shown}, … (${labels.length} labels)` : shown;
}
