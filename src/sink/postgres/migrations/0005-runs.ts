import type { Migration } from './migration.ts';

/**
 * Adding columns rewrites nothing. The new primary key of `clip_stats` is built for each
 * partition, and the table is locked meanwhile: a few seconds for each 10 million rows.
 */
export const runs: Migration = {
  version: 5,
  name: 'runs',
  sql: `
ALTER TABLE actionstream.action_events
  ADD COLUMN run_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE actionstream.clip_stats
  ADD COLUMN run_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE actionstream.clip_stats DROP CONSTRAINT clip_stats_pkey;
ALTER TABLE actionstream.clip_stats ADD PRIMARY KEY (stream_id, clip_start, clip_seq, run_id);
CREATE INDEX ON actionstream.action_events (run_id)
  WHERE run_id <> '00000000-0000-0000-0000-000000000000';
ALTER TABLE actionstream.stream_status
  ADD COLUMN run_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE actionstream.stream_gaps
  ADD COLUMN run_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN actionstream.action_events.run_id IS 'Of files: content, stream, model and settings; zeros for live streams';
COMMENT ON COLUMN actionstream.clip_stats.run_id IS 'Of files: content, stream, model and settings; zeros for live streams';
COMMENT ON COLUMN actionstream.clip_stats.recorded_at IS 'When the journal took the record';

ALTER TABLE actionstream.streams
  ADD COLUMN writer uuid, ADD COLUMN writer_instance text, ADD COLUMN written_at timestamptz;
COMMENT ON COLUMN actionstream.streams.writer IS 'The run of the program that writes this stream; two that alternate are two programs';

CREATE OR REPLACE VIEW actionstream.action_history AS
  SELECT stream_id, label, started_at, ended_at, ended_at IS NULL AS is_open, duration_ms,
         round(score_peak::numeric, 3) AS score, clips, kept_steps, input_steps,
         round((100 * saved_ratio)::numeric, 1) AS saved_percent, end_reason, model_id, episode_id,
         nullif(run_id, '00000000-0000-0000-0000-000000000000') AS run_id
    FROM actionstream.action_events;

CREATE OR REPLACE VIEW actionstream.clip_stats_1h AS
  SELECT stream_id, date_trunc('hour', clip_start, 'UTC') AS hour, count(*) AS clips,
         sum(kept_steps) AS kept_steps, sum(input_steps) AS input_steps,
         sum(multiply_adds) AS multiply_adds, sum(dense_multiply_adds) AS dense_multiply_adds,
         1 - sum(multiply_adds) / nullif(sum(dense_multiply_adds), 0) AS saved_ratio,
         avg(latency_e2e_ms) AS latency_e2e_ms,
         nullif(run_id, '00000000-0000-0000-0000-000000000000') AS run_id
    FROM actionstream.clip_stats GROUP BY stream_id, date_trunc('hour', clip_start, 'UTC'), run_id;
COMMENT ON VIEW actionstream.clip_stats_1h IS 'Compute spent and saved, a row a stream, run and hour (UTC)';

CREATE FUNCTION actionstream.ensure_partition(parent text, moment timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  step text := CASE parent WHEN 'action_events' THEN 'month' WHEN 'clip_stats' THEN 'day' END;
  first_day timestamp := date_trunc(step, moment AT TIME ZONE 'UTC');
  last_day timestamp := first_day + CASE step WHEN 'day' THEN interval '1 day' ELSE interval '1 month' END;
  name text := parent || to_char(first_day, CASE step WHEN 'day' THEN '_YYYY_MM_DD' ELSE '_YYYY_MM' END);
BEGIN
  IF step IS NULL OR extract(year FROM first_day) NOT BETWEEN 1 AND 9999 THEN
    RAISE EXCEPTION 'actionstream has no partition of "%" for %', parent, moment USING ERRCODE = '22023';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('actionstream.partitions'));
  IF to_regclass(format('actionstream.%I', name)) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format(
    'CREATE TABLE actionstream.%I (LIKE actionstream.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name, parent);
  EXECUTE format(
    'ALTER TABLE actionstream.%I ATTACH PARTITION actionstream.%I FOR VALUES FROM (%L) TO (%L)',
    parent, name, to_char(first_day, 'YYYY-MM-DD"T00:00:00Z"'),
    CASE WHEN extract(year FROM last_day) > 9999 THEN 'infinity' ELSE to_char(last_day, 'YYYY-MM-DD"T00:00:00Z"') END);
END $body$;
COMMENT ON FUNCTION actionstream.ensure_partition IS
  'Makes the partition that holds a time, beside the table and attached: no reader or writer is locked out. '
  'It runs with the rights of its owner, so that writers need no right to create tables';
REVOKE ALL ON FUNCTION actionstream.ensure_partition FROM PUBLIC;
`,
};
