import type { Migration } from './migration.ts';

export const delta: Migration = {
  version: 2,
  name: 'delta',
  sql: `
ALTER TABLE actionstream.action_events ADD COLUMN delta double precision;
ALTER TABLE actionstream.clip_stats ADD COLUMN delta double precision;
COMMENT ON COLUMN actionstream.action_events.delta IS 'Largest bin width of the ordered sampler over the clips of the episode';
COMMENT ON COLUMN actionstream.clip_stats.delta IS 'Bin width of the ordered sampler; a tight compute budget raises it';
`,
};
