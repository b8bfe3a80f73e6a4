import { Readable } from 'node:stream';
import { Kafka, type CloudEvent } from 'cloudevents';
import { expect, test } from 'vitest';
import type { PublishedRecord } from '../../src/core/records.ts';
import { clipStatsOf, createEpisodeTracker } from '../../src/events/index.ts';
import type { EpisodeTrackerOptions, ScoredClip } from '../../src/events/types.ts';
import { toCloudEvent } from '../../src/sink/kafka/cloud-event.ts';
import { COLUMNS, rowOf } from '../../src/sink/postgres/rows.ts';
import { toCsv } from '../../src/sink/query.ts';
import { clipOf, optionsOf } from '../events/clips.ts';
import { streamStatus } from '../support/records.ts';

const RUN = 'd3a1f1b6-0000-5000-8000-000000000001';
const RECORDED_AT_MS = Date.UTC(2026, 10, 22, 11);
const LABELS = ['background', 'fall', 'wave'];

// Consumers parse these bytes: a change here is a change of the published
// format. `npx vitest -u` rewrites the file.
test('messages, rows and lines of all kinds of records are, byte for byte, those of the golden file', async () => {
  const records = [...RECORDS_OF_A_CAMERA, ...RECORDS_OF_A_FILE, ...STATUSES, ...DESCRIBED];
  const lines = records.flatMap((record) => [
    JSON.stringify(record),
    JSON.stringify(toCloudEvent({ offset: 0, recordedAtMs: RECORDED_AT_MS, record })),
    sortedJson(rowOf(record, RECORDED_AT_MS)),
  ]);

  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('../fixtures/goldens/records/records.ndjson');
});

test('columns and CSV are those of the golden files', async () => {
  const events = [...RECORDS_OF_A_CAMERA, ...RECORDS_OF_A_FILE, ...DESCRIBED].flatMap((record) =>
    record.type === 'action.event' ? [record.payload] : [],
  );
  const csv: string[] = [];
  for await (const line of toCsv(Readable.from(events))) csv.push(line);
  const columns = Object.values(COLUMNS).map(sortedJson);

  await expect(`${csv.join('\n')}\n`).toMatchFileSnapshot('../fixtures/goldens/records/events.csv');
  await expect(`${columns.join('\n')}\n`).toMatchFileSnapshot('../fixtures/goldens/records/columns.ndjson');
});

test('the SDK of CloudEvents reads every envelope, finds it valid, and would write the same headers', () => {
  for (const record of [...RECORDS_OF_A_CAMERA, ...RECORDS_OF_A_FILE, ...STATUSES, ...DESCRIBED]) {
    const { key, value, headers } = toCloudEvent({ offset: 0, recordedAtMs: RECORDED_AT_MS, record });
    const message = { key, value, headers, body: value, timestamp: '' };

    const event = Kafka.toEvent(message) as CloudEvent;

    expect(event.validate()).toBe(true);
    expect(event.data).toEqual(record.payload);
    // The SDK repeats the content type as an attribute.
    const written = { ...headers, ce_datacontenttype: headers['content-type'] };
    expect(Kafka.binary(event).headers).toEqual(written);
  }
});

const RECORDS_OF_A_CAMERA = recordsOf({
  ...optionsOf({ streamId: 'dock-3', clockSource: 'rtcp', sampler: 'none' }),
  clips: scoresOf(6).map((scores, n) => scored(n, scores, { uncertaintyMs: 3 + (n % 4) })),
});

const RECORDS_OF_A_FILE = recordsOf({
  ...optionsOf({ streamId: 'lot =1,"x"', runId: RUN, uncertaintyMs: 40 }),
  clips: scoresOf(9).map((scores, n) => scored(n, scores, { delta: 0.1 + (n % 3) / 7 })),
});

const STATUSES = [
  streamStatus(),
  streamStatus({ run_id: RUN, state: 'down', detail: 'camera closed', n: 1 }),
  streamStatus({
    ...{ state: 'gap', reason: 'exit', n: 2 },
    gap: { from: '2026-11-22T10:00:00.000Z', to: '2026-11-22T10:00:03.000Z' },
  }),
];

const ABOUT = { name: 'Dör 3, "Nord"', site: 'Kiel', tags: ['dock', 'night:1'], location: '54.3 N, 10.1 E' };
const DESCRIBED = [
  ...recordsOf({
    ...optionsOf({ streamId: 'dock-3', about: ABOUT }),
    clips: scoresOf(2).map((scores, n) => scored(n, scores, {})),
  }),
  streamStatus({ stream: { tags: ['dock'] }, n: 3 }),
];

/** Events and statistics of clips, and the end of the stream. */
function recordsOf({
  clips,
  ...options
}: EpisodeTrackerOptions & { readonly clips: readonly ScoredClip[] }): readonly PublishedRecord[] {
  const tracker = createEpisodeTracker({
    ...options,
    defaultPolicy: { ...options.defaultPolicy, mergeGapMs: 1000, updateIntervalMs: 2000 },
  });
  const { streamId, runId, sampler, model, pipeline } = options;
  const context = {
    streamId,
    ...(runId !== undefined && { runId }),
    sampler,
    model,
    pipeline,
    labels: LABELS,
  };
  const records = clips.flatMap((clip, sequence) => [
    {
      type: 'clip.stats' as const,
      payload: clipStatsOf(clip, { ...context, sequence, frames: 16 - sequence }),
    },
    ...tracker.observe(clip).map((payload) => ({ type: 'action.event' as const, payload })),
  ]);
  const ends = tracker.close(runId === undefined ? 'end_of_stream' : 'shutdown');
  return [...records, ...ends.map((payload) => ({ type: 'action.event' as const, payload }))];
}

function scoresOf(count: number): readonly (readonly number[])[] {
  return Array.from({ length: count }, (_, n) => [[0.1, 0.9, 0.7, 0.3, 0.65][n % 5] ?? 0, n > 3 ? 0.8 : 0.2]);
}

function scored(n: number, scores: readonly number[], more: Partial<ScoredClip>): ScoredClip {
  const clip = clipOf(n, scores, { strideMs: 1000 / 3, windowMs: 1600 / 3 });
  const compute = { ...clip.compute, lowerMs: 10 + n / 3, queueMs: 1 / (n + 1), upperMs: Math.sqrt(n) };
  return { ...clip, ...more, compute, processedAtMs: clip.processedAtMs + n / 7 };
}

/** Rows and columns have no order: keys sorted. */
function sortedJson(value: object): string {
  return JSON.stringify(Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))));
}
