import type { Migration } from './migration.ts';

export const prunings: Migration = {
  version: 6,
  name: 'prunings',
  sql: `
CREATE TABLE actionstream.prunings (
  table_name      text NOT NULL,
  time_from       timestamptz NOT NULL,
  time_before     timestamptz NOT NULL,
  recorded_before timestamptz NOT NULL,
  PRIMARY KEY (table_name, time_from, time_before, recorded_before)
);
COMMENT ON TABLE actionstream.prunings IS
  'What prune has deleted: rows dated [time_from, time_before) that were recorded before recorded_before';
-- Dates are no secret, and writers as well as readers need them, whatever rights they were given before.
GRANT SELECT ON actionstream.prunings TO PUBLIC;
`,
};
