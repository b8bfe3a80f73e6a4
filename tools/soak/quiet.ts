import { setTimeout as delay } from 'node:timers/promises';
import { scrape, type Metrics } from './sample.ts';

const LOOK_MS = 1500;
const MOST_LOOKS = 120;

/** The metrics once nothing is counted any more and both sinks have taken everything. */
export async function quietMetrics(metricsUrl: string): Promise<Metrics> {
  for (let last = '', looks = 0; looks < MOST_LOOKS; looks++) {
    const metrics = await scrape(metricsUrl);
    const counters = [...metrics].filter(([name]) => /clips_total|events_total|lag_records/.test(name));
    const now = JSON.stringify(counters);
    const waiting = ['kafka', 'postgres'].some(
      (sink) => metrics.get(`actionstream_sink_lag_records{sink="${sink}"}`) !== 0,
    );
    if (now === last && !waiting) return metrics;
    last = now;
    await delay(LOOK_MS);
  }
  throw new Error('the run is not at rest three minutes after its sources have gone');
}
