import { pointsOf, runGauge, type Metrics } from './metric.ts';

/** Absent where no video is kept. */
export const MEDIA_METRICS = {
  actionstream_media_bytes: runGauge(
    'Bytes of segments, clips and snapshots on disk.',
    ({ media }) => media?.bytes,
  ),
  actionstream_media_made_total: {
    kind: 'counter',
    help: 'Clips and snapshots made.',
    labels: ['kind'],
    read: ({ media }) => pointsOf(media?.made ?? {}),
  },
  actionstream_media_lost_total: {
    kind: 'counter',
    help: 'Episodes without media, media deleted for want of room, and segments that cannot be placed in time, by reason.',
    labels: ['reason'],
    read: ({ media }) => pointsOf(media?.lost ?? {}),
  },
} as const satisfies Metrics;
