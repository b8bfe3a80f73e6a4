import type { Migration } from './migration.ts';

export const audit: Migration = {
  version: 7,
  name: 'audit',
  sql: ['action_events', 'clip_stats']
    .map(
      (table) => `
ALTER TABLE actionstream.${table}
  ADD COLUMN audit_agreement double precision,
  ADD COLUMN audit_agreement_low double precision,
  ADD COLUMN audit_delta_scale double precision,
  ADD COLUMN audit_delta_changes bigint;
COMMENT ON COLUMN actionstream.${table}.audit_agreement IS 'Share of decisions that were those of the dense network, over the audited clips of late';
COMMENT ON COLUMN actionstream.${table}.audit_agreement_low IS 'Its lower confidence bound';
COMMENT ON COLUMN actionstream.${table}.audit_delta_scale IS 'Bin width that the audit allows, over the configured one; 0: dense';
COMMENT ON COLUMN actionstream.${table}.audit_delta_changes IS 'Changes of the bin width by the audit';
`,
    )
    .join(''),
};
