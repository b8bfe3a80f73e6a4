import type { Migration } from './migration.ts';

export const initial: Migration = {
  version: 1,
  name: 'initial',
  sql: `
CREATE TABLE actionstream.streams (
  stream_id     text PRIMARY KEY,
  state         text,
  state_reason  text,
  state_at      timestamptz,
  instance      text,
  first_seen_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE actionstream.streams IS 'Cameras and files, with the last state that was reported';

CREATE TABLE actionstream.action_events (
  episode_id            uuid NOT NULL,
  started_at            timestamptz NOT NULL,
  sequence              integer NOT NULL,
  state                 text NOT NULL CHECK (state IN ('started', 'updated', 'ended')),
  end_reason            text,
  stream_id             text NOT NULL,
  label                 text NOT NULL,
  label_id              integer NOT NULL,
  score_peak            double precision NOT NULL,
  score_mean            double precision NOT NULL,
  score_last            double precision NOT NULL,
  ended_at              timestamptz,
  duration_ms           double precision,
  resolution_ms         double precision NOT NULL,
  clock_source          text NOT NULL,
  uncertainty_ms        double precision NOT NULL,
  ingested_at           timestamptz NOT NULL,
  processed_at          timestamptz NOT NULL,
  first_pts_us          double precision NOT NULL,
  last_pts_us           double precision NOT NULL,
  segment               integer NOT NULL,
  clips                 integer NOT NULL,
  sampler               text NOT NULL,
  kept_steps            bigint NOT NULL,
  input_steps           bigint NOT NULL,
  multiply_adds         double precision NOT NULL,
  dense_multiply_adds   double precision NOT NULL,
  reused_multiply_adds  double precision NOT NULL,
  saved_ratio           double precision NOT NULL,
  latency_queue_ms      double precision NOT NULL,
  latency_lower_ms      double precision NOT NULL,
  latency_sampler_ms    double precision NOT NULL,
  latency_upper_ms      double precision NOT NULL,
  latency_e2e_ms        double precision NOT NULL,
  engine                text NOT NULL,
  device                text NOT NULL,
  model_id              text NOT NULL,
  model_version         text NOT NULL,
  model_digest          text NOT NULL,
  pipeline_instance     text NOT NULL,
  pipeline_version      text NOT NULL,
  PRIMARY KEY (episode_id, started_at)
) PARTITION BY RANGE (started_at);
COMMENT ON TABLE actionstream.action_events IS 'One row an episode: its last event. [started_at, ended_at)';
CREATE INDEX ON actionstream.action_events (stream_id, started_at DESC);
CREATE INDEX ON actionstream.action_events (label, started_at DESC);
CREATE INDEX ON actionstream.action_events (started_at DESC, episode_id);
CREATE INDEX ON actionstream.action_events (stream_id) WHERE ended_at IS NULL;

CREATE TABLE actionstream.clip_stats (
  stream_id             text NOT NULL,
  clip_start            timestamptz NOT NULL,
  clip_seq              bigint NOT NULL,
  clip_id               text NOT NULL,
  clip_end              timestamptz NOT NULL,
  segment               integer NOT NULL,
  frames                integer NOT NULL,
  scores                jsonb NOT NULL,
  sampler               text NOT NULL,
  kept_steps            bigint NOT NULL,
  input_steps           bigint NOT NULL,
  multiply_adds         double precision NOT NULL,
  dense_multiply_adds   double precision NOT NULL,
  reused_multiply_adds  double precision NOT NULL,
  latency_queue_ms      double precision NOT NULL,
  latency_lower_ms      double precision NOT NULL,
  latency_sampler_ms    double precision NOT NULL,
  latency_upper_ms      double precision NOT NULL,
  latency_e2e_ms        double precision NOT NULL,
  engine                text NOT NULL,
  device                text NOT NULL,
  model_id              text NOT NULL,
  model_version         text NOT NULL,
  model_digest          text NOT NULL,
  pipeline_instance     text NOT NULL,
  pipeline_version      text NOT NULL,
  PRIMARY KEY (stream_id, clip_start, clip_seq)
) PARTITION BY RANGE (clip_start);
COMMENT ON TABLE actionstream.clip_stats IS 'The compute receipt of every clip, one partition a day';
CREATE INDEX ON actionstream.clip_stats USING brin (clip_start);

CREATE TABLE actionstream.stream_status (
  status_id         text PRIMARY KEY,
  stream_id         text NOT NULL,
  state             text NOT NULL,
  at                timestamptz NOT NULL,
  reason            text NOT NULL,
  detail            text,
  pipeline_instance text NOT NULL,
  pipeline_version  text NOT NULL
);
CREATE INDEX ON actionstream.stream_status (stream_id, at DESC);

CREATE TABLE actionstream.stream_gaps (
  status_id text PRIMARY KEY,
  stream_id text NOT NULL,
  from_at   timestamptz NOT NULL,
  to_at     timestamptz NOT NULL,
  reason    text NOT NULL
);
COMMENT ON TABLE actionstream.stream_gaps IS 'Intervals [from_at, to_at) that were not watched';
CREATE INDEX ON actionstream.stream_gaps (stream_id, from_at DESC);

CREATE TABLE actionstream.dead_letters (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  record_id   text NOT NULL UNIQUE,
  record_type text NOT NULL,
  reason      text NOT NULL,
  payload     text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE actionstream.dead_letters IS 'Records that a table refused, as JSON text';

CREATE VIEW actionstream.action_history AS
  SELECT stream_id, label, started_at, ended_at, ended_at IS NULL AS is_open, duration_ms,
         round(score_peak::numeric, 3) AS score, clips, kept_steps, input_steps,
         round((100 * saved_ratio)::numeric, 1) AS saved_percent, end_reason, model_id, episode_id
    FROM actionstream.action_events;
COMMENT ON VIEW actionstream.action_history IS 'What happened where: the table to begin with';

CREATE VIEW actionstream.clip_stats_1h AS
  SELECT stream_id, date_trunc('hour', clip_start) AS hour, count(*) AS clips,
         sum(kept_steps) AS kept_steps, sum(input_steps) AS input_steps,
         sum(multiply_adds) AS multiply_adds, sum(dense_multiply_adds) AS dense_multiply_adds,
         1 - sum(multiply_adds) / nullif(sum(dense_multiply_adds), 0) AS saved_ratio,
         avg(latency_e2e_ms) AS latency_e2e_ms
    FROM actionstream.clip_stats GROUP BY stream_id, date_trunc('hour', clip_start);
COMMENT ON VIEW actionstream.clip_stats_1h IS 'Compute spent and saved, a row a stream and hour';
`,
};
