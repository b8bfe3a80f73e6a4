export { endAfterRestart } from './end-after-restart.ts';
export { clipStatsOf } from './clip-stats.ts';
export type { ClipStatsContext } from './clip-stats.ts';
export { createEpisodeTracker } from './episode-tracker.ts';
export type { EpisodePolicy, EpisodeTracker, EpisodeTrackerOptions, ScoredClip } from './types.ts';
