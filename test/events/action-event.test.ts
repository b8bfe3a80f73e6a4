import { describe, expect, it } from 'vitest';
import type { ActionEvent } from '../../src/core/records.ts';
import { clipStatsOf, createEpisodeTracker } from '../../src/events/index.ts';
import { clipOf, eventsOf, model, optionsOf, pipeline, policy } from './clips.ts';

describe('the payload of an event', () => {
  it('is what an ended episode of three clips says, word for word', () => {
    const events = eventsOf([0, 0.93, 0.7, 0.8, 0.22]);

    expect(events.at(-1)).toEqual({
      episode_id: 'e1aa9af1-f9e3-5989-bdd5-984d23d14091',
      sequence: 1,
      state: 'ended',
      end_reason: 'below_threshold',
      stream_id: 'dock-3',
      label: 'fall',
      label_id: 1,
      score: { peak: 0.93, mean: 0.81, last: 0.22 },
      started_at: '2026-11-22T10:15:01.000Z',
      ended_at: '2026-11-22T10:15:04.000Z',
      duration_ms: 3000,
      resolution_ms: 1000,
      time: {
        clock_source: 'media',
        uncertainty_ms: 0,
        ingested_at: '2026-11-22T10:15:05.020Z',
        processed_at: '2026-11-22T10:15:05.090Z',
      },
      media: { first_pts_us: 1_000_000, last_pts_us: 4_000_000, segment: 0 },
      clips: 3,
      compute: {
        sampler: 'ordered',
        kept_steps: 2 + 3 + 4,
        input_steps: 48,
        multiply_adds: 3_006_000,
        dense_multiply_adds: 12_000_000,
        reused_steps: 1 + 2 + 3,
        reused_kept_steps: 1 + 2 + 0,
        reused_multiply_adds: 60,
        saved_ratio: 0.7495,
        latency_ms: { queue: 2, lower: 10, sampler: 0.5, upper: 5, e2e: 70 },
        engine: 'null',
        device: 'cpu',
      },
      model,
      pipeline,
    });
  });

  it('names the place where it moved, and the included zones there', () => {
    const half = (left: number) => [
      ...[
        { x: left, y: 0 },
        { x: left + 0.5, y: 0 },
      ],
      ...[
        { x: left + 0.5, y: 1 },
        { x: left, y: 1 },
      ],
    ];
    const zones = [
      { name: 'left', kind: 'include', points: half(0) },
      { name: 'right', kind: 'include', points: half(0.5) },
      { name: 'shut', kind: 'exclude', points: half(0) },
    ] as const;
    const boxes = [
      undefined,
      { x: 0.1, y: 0.2, width: 0.1, height: 0.3 },
      { x: 0.4, y: 0.1, width: 1 / 3, height: 0.1 },
    ];
    const tracker = createEpisodeTracker(
      optionsOf({ zones, defaultPolicy: { ...policy, updateIntervalMs: 0 } }),
    );
    const events = boxes.flatMap((region, n) =>
      tracker.observe({ ...clipOf(n, [0.9]), region: () => region }),
    );

    expect(events.map(({ region, zones: named }) => [region, named])).toEqual([
      [undefined, undefined],
      [{ x: 0.1, y: 0.2, width: 0.1, height: 0.3 }, ['left']],
      [{ x: 0.1, y: 0.1, width: 0.633, height: 0.4 }, ['left', 'right']],
    ]);
  });

  it('asks no clip where it moved that belongs to no episode', () => {
    const tracker = createEpisodeTracker(optionsOf());
    const region = (): never => {
      throw new Error('asked');
    };
    expect(tracker.observe({ ...clipOf(0, [0.1]), region })).toEqual([]);
  });

  it('has no end before the end', () => {
    expect(eventsOf([0.9])[0]).not.toHaveProperty('ended_at');
    expect(eventsOf([0.9])[0]).not.toHaveProperty('end_reason');
  });

  it('the episode id depends on stream, label and onset alone', () => {
    const first = (streamId: string, clip: number, scores: number[]): string | undefined =>
      createEpisodeTracker(optionsOf({ streamId, model: { ...model, version: String(clip) } })).observe(
        clipOf(clip, scores),
      )[0]?.episode_id;
    const id = first('dock-3', 1, [0.9]);

    expect(id).toBe('e1aa9af1-f9e3-5989-bdd5-984d23d14091');
    expect(first('dock-4', 1, [0.9])).not.toBe(id);
    expect(first('dock-3', 2, [0.9])).not.toBe(id);
    expect(first('dock-3', 1, [0, 0.9])).not.toBe(id);
  });

  it('a run id is in the record and is part of the episode id', () => {
    const first = (runId: string) =>
      createEpisodeTracker(optionsOf({ runId })).observe(clipOf(1, [0.9]))[0] as ActionEvent;
    const [one, two] = ['d3a1f1b6-0000-5000-8000-000000000001', 'd3a1f1b6-0000-5000-8000-000000000002'];

    expect(first(one)).toMatchObject({ run_id: one, stream_id: 'dock-3' });
    expect(first(one).episode_id).toBe(first(one).episode_id);
    expect(first(one).episode_id).not.toBe(first(two).episode_id);
    expect(first(one).episode_id).not.toBe('e1aa9af1-f9e3-5989-bdd5-984d23d14091');
  });
});

describe('the statistics of a clip', () => {
  const context = {
    streamId: 'dock-3',
    sequence: 4,
    frames: 30,
    labels: ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
    sampler: 'ordered',
    model,
    pipeline,
  };

  it('hold the five best scores, best first, equals in the order of labels', () => {
    const clip = { ...clipOf(4, [0]), scores: Float32Array.of(0.1, 0.5, 0.2, 0.5, 0, 0.7, 0.3) };

    expect(clipStatsOf(clip, context).scores).toEqual([
      { label: 'f', score: 0.7 },
      { label: 'b', score: 0.5 },
      { label: 'd', score: 0.5 },
      { label: 'g', score: 0.3 },
      { label: 'c', score: 0.2 },
    ]);
  });

  it('hold the compute receipt of the clip', () => {
    expect(clipStatsOf(clipOf(4, [0.9]), { ...context, labels: ['background', 'fall', 'wave'] })).toEqual({
      clip_id: 'dock-3/0/4',
      clip_seq: 4,
      stream_id: 'dock-3',
      clip_start: '2026-11-22T10:15:04.000Z',
      clip_end: '2026-11-22T10:15:05.000Z',
      segment: 0,
      frames: 30,
      scores: [
        { label: 'background', score: 0.9 },
        { label: 'fall', score: 0.9 },
        { label: 'wave', score: 0 },
      ],
      compute: {
        sampler: 'ordered',
        kept_steps: 5,
        input_steps: 16,
        multiply_adds: 1_004_000,
        dense_multiply_adds: 4_000_000,
        reused_steps: 4,
        reused_kept_steps: 1,
        reused_multiply_adds: 40,
        latency_ms: { queue: 2, lower: 10, sampler: 0.5, upper: 5, e2e: 70 },
        engine: 'null',
        device: 'cpu',
      },
      model,
      pipeline,
    });
  });
});
