import type { Migration } from './migration.ts';

const COLUMNS = ['site text', 'tags text[]', 'location text'];

/** Adding columns rewrites nothing, and the index holds no row that is there. */
export const streamDescriptions: Migration = {
  version: 9,
  name: 'stream-descriptions',
  sql: `
ALTER TABLE actionstream.streams ${added(['name text', ...COLUMNS])};
ALTER TABLE actionstream.action_events ${added(['stream_name text', ...COLUMNS])};
ALTER TABLE actionstream.stream_status ${added(['stream_name text', ...COLUMNS])};
COMMENT ON COLUMN actionstream.streams.site IS 'Name, site, tags and location are those of the last status';
COMMENT ON COLUMN actionstream.action_events.site IS 'Name, site, tags and location of the stream at that time';
CREATE INDEX ON actionstream.action_events (site, started_at DESC) WHERE site IS NOT NULL;

CREATE OR REPLACE VIEW actionstream.action_history AS
  SELECT stream_id, label, started_at, ended_at, ended_at IS NULL AS is_open, duration_ms,
         round(score_peak::numeric, 3) AS score, clips, kept_steps, input_steps,
         round((100 * saved_ratio)::numeric, 1) AS saved_percent, end_reason, model_id, episode_id,
         nullif(run_id, '00000000-0000-0000-0000-000000000000') AS run_id,
         stream_name, site, tags, location
    FROM actionstream.action_events;
`,
};

function added(columns: readonly string[]): string {
  return columns.map((column) => `ADD COLUMN ${column}`).join(', ');
}
