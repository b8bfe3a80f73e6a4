import type { Migration } from './migration.ts';

export const writerEpoch: Migration = {
  version: 8,
  name: 'writer-epoch',
  sql: `
ALTER TABLE actionstream.action_events ADD COLUMN writer_epoch bigint;
COMMENT ON COLUMN actionstream.action_events.writer_epoch IS 'Of a fleet: when its worker took the stream over; an event of a lower one changes nothing';
`,
};
