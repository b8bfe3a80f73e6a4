import type { ActionEvent, ClipStats, PublishedRecord } from '../../src/core/records.ts';

export interface Ticker {
  take(record: PublishedRecord): void;
  /** One line a clip: how many of its time steps the upper stage of the network processed. */
  plot(): void;
}

/** Prints events as they come and remembers the steps kept of each clip. */
export function createTicker(say: (text: string) => void): Ticker {
  const clips = new Map<string, ClipStats[]>();
  return {
    take(record) {
      switch (record.type) {
        case 'action.event':
          say(eventLine(record.payload));
          break;
        case 'clip.stats':
          clips.set(record.payload.stream_id, [
            ...(clips.get(record.payload.stream_id) ?? []),
            record.payload,
          ]);
          break;
        case 'stream.status':
          say(
            `${record.payload.at.slice(11, 23)}  ${record.payload.stream_id.padEnd(13)}${record.payload.state} (${record.payload.reason})`,
          );
          break;
      }
    },
    plot() {
      for (const [streamId, stats] of clips) {
        say(streamId);
        for (const clip of stats) say(`  ${clip.clip_start.slice(11, 21)}  ${bar(clip.compute)}`);
      }
    },
  };
}

function bar({ kept_steps: kept, input_steps: all, latency_ms: latency }: ClipStats['compute']): string {
  const milliseconds = latency.lower + latency.sampler + latency.upper;
  return `${'█'.repeat(kept)}${'·'.repeat(all - kept)} ${String(kept).padStart(2)}/${all}  ${milliseconds.toFixed(0).padStart(4)} ms`;
}

function eventLine({
  stream_id: stream,
  state,
  label,
  started_at: start,
  ended_at: end,
  score,
  compute,
}: ActionEvent): string {
  const interval = `${start.slice(11, 23)}${end === undefined ? '' : ` → ${end.slice(11, 23)}`}`;
  const saved = `${Math.round(compute.saved_ratio * 100)} % saved`;
  return `${interval.padEnd(29)}${stream.padEnd(14)}${state.padEnd(8)} ${label.padEnd(10)} peak ${score.peak.toFixed(2)}  ${saved}`;
}
