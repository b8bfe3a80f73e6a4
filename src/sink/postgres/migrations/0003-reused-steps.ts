import type { Migration } from './migration.ts';

export const reusedSteps: Migration = {
  version: 3,
  name: 'reused-steps',
  sql: `
ALTER TABLE actionstream.action_events ADD COLUMN reused_steps bigint;
ALTER TABLE actionstream.clip_stats ADD COLUMN reused_steps bigint;
COMMENT ON COLUMN actionstream.action_events.reused_steps IS 'Of input_steps, those not computed: an earlier clip had, or the pictures were the same';
COMMENT ON COLUMN actionstream.clip_stats.reused_steps IS 'Of input_steps, those not computed: an earlier clip had, or the pictures were the same';
`,
};
