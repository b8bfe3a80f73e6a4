import pg from 'pg';
import type { KafkaTopics } from '../../src/sink/kafka/options.ts';
import { kafkaCounts } from './kafka-counts.ts';
import type { Finding } from './report.ts';
import type { Metrics } from './sample.ts';

interface Row {
  readonly name: string;
  readonly value: string;
}

/** Each counter as a foreign client counts the same in the database. */
const IN_DATABASE = `
SELECT 'actionstream_clips_total{stream_id="' || stream_id || '"}' AS name, count(*)::text AS value
  FROM actionstream.clip_stats GROUP BY stream_id
UNION ALL
SELECT 'actionstream_multiply_adds_total{stream_id="' || stream_id || '",kind="' || kind || '"}', sum(amount)::text
  FROM actionstream.clip_stats,
    LATERAL (VALUES ('used', multiply_adds), ('dense', dense_multiply_adds), ('reused', reused_multiply_adds)) AS k (kind, amount)
  GROUP BY stream_id, kind
UNION ALL
SELECT 'actionstream_kept_steps_total{stream_id="' || stream_id || '"}', sum(kept_steps)::text
  FROM actionstream.clip_stats GROUP BY stream_id
UNION ALL
SELECT 'actionstream_action_events_total{label="' || label || '",state="started"}', count(*)::text
  FROM actionstream.action_events GROUP BY label
UNION ALL
SELECT 'actionstream_action_events_total{label="' || label || '",state="ended"}', count(*)::text
  FROM actionstream.action_events WHERE state = 'ended' GROUP BY label`;

interface Sinks {
  readonly postgresUrl: string;
  readonly brokers: readonly string[];
  readonly topics: KafkaTopics;
}

/**
 * What the program counted against what reached the sinks. Records that the
 * journal refused for want of room would differ: there must be none.
 */
export async function compareCounters(metrics: Metrics, sinks: Sinks): Promise<readonly Finding[]> {
  const shed = metrics.get('actionstream_journal_shed_records_total') ?? NaN;
  return [
    compare(metrics, 'the database', await postgresCounts(sinks.postgresUrl)),
    compare(metrics, 'Kafka', await kafkaCounts(sinks.brokers, sinks.topics)),
    { what: 'records refused by the journal', wanted: '0', found: String(shed), good: shed === 0 },
  ];
}

function compare(metrics: Metrics, side: string, counts: ReadonlyMap<string, number>): Finding {
  const differing = [...counts].filter(([name, value]) => metrics.get(name) !== value);
  const shown = differing.map(([name, value]) => `; ${name}: counted ${metrics.get(name)}, there ${value}`);
  return {
    what: `counters that equal ${side}`,
    wanted: `${counts.size} of ${counts.size}`,
    found: `${counts.size - differing.length} of ${counts.size}${shown.join('')}`,
    good: counts.size > 0 && differing.length === 0,
  };
}

async function postgresCounts(url: string): Promise<ReadonlyMap<string, number>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Row>(IN_DATABASE);
    return new Map(rows.map(({ name, value }) => [name, Number(value)]));
  } finally {
    await client.end();
  }
}
