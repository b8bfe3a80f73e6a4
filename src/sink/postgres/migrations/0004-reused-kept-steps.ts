import type { Migration } from './migration.ts';

export const reusedKeptSteps: Migration = {
  version: 4,
  name: 'reused-kept-steps',
  sql: `
ALTER TABLE actionstream.action_events ADD COLUMN reused_kept_steps bigint;
ALTER TABLE actionstream.clip_stats ADD COLUMN reused_kept_steps bigint;
COMMENT ON COLUMN actionstream.action_events.reused_kept_steps IS 'Of kept_steps, those whose maps an earlier clip had been scored with';
COMMENT ON COLUMN actionstream.clip_stats.reused_kept_steps IS 'Of kept_steps, those whose maps an earlier clip had been scored with';
`,
};
