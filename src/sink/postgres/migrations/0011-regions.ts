import type { Migration } from './migration.ts';

export const regions: Migration = {
  version: 11,
  name: 'regions',
  sql: `
ALTER TABLE actionstream.action_events
  ADD COLUMN region_x double precision, ADD COLUMN region_y double precision,
  ADD COLUMN region_width double precision, ADD COLUMN region_height double precision,
  ADD COLUMN zones text[];
COMMENT ON COLUMN actionstream.action_events.region_x IS
  'Box around what moved, in parts of the width and height of the frame; null where nothing moved';
COMMENT ON COLUMN actionstream.action_events.zones IS 'Names of the included zones that the region touches';
`,
};
