export { endAfterRestart } from './end-after-restart.ts';
export { clipStatsOf } from './clip-stats.ts';

export { createEpisodeTracker } from './episode-tracker.ts';
export type { ScoredClip } from './types.ts';
export { runIdOf } from './run-id.ts';
