import type { Migration } from './migration.ts';

export const heartbeat: Migration = {
  version: 10,
  name: 'heartbeat',
  sql: `
ALTER TABLE actionstream.streams ADD COLUMN valid_until timestamptz;
ALTER TABLE actionstream.stream_status ADD COLUMN valid_until timestamptz;
COMMENT ON COLUMN actionstream.streams.valid_until IS
  'The state is unknown from then on, unless it was reported again; null where it is final, or was never repeated';

CREATE VIEW actionstream.stream_states AS
  SELECT stream_id, name, site, tags, location,
         CASE WHEN valid_until <= statement_timestamp() THEN 'unknown' ELSE state END AS state,
         state AS reported_state, state_reason AS reason, state_at AS since, valid_until, instance
    FROM actionstream.streams;
COMMENT ON VIEW actionstream.stream_states IS
  'What each stream does now; unknown: whoever watched it has not said so for too long';
`,
};
