import type { Migration } from './migration.ts';

export const feedback: Migration = {
  version: 12,
  name: 'feedback',
  sql: `
CREATE TABLE actionstream.event_feedback (
  feedback_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  episode_id uuid NOT NULL,
  given_at timestamptz NOT NULL DEFAULT now(),
  given_by text NOT NULL,
  verdict text NOT NULL CHECK (verdict IN ('right', 'wrong', 'other')),
  label text,
  CHECK ((verdict = 'other') = (label IS NOT NULL)));
CREATE INDEX event_feedback_episode ON actionstream.event_feedback (episode_id, feedback_id DESC);
COMMENT ON TABLE actionstream.event_feedback IS 'What people said of episodes; of each episode the last row counts';
COMMENT ON COLUMN actionstream.event_feedback.label IS 'What it was instead, where the verdict is other';
`,
};
