import { describe, expect, it } from 'vitest';

import { parseProbe } from '../../src/ingest/probe-report.ts';

const packet = (seconds: number, key = false): object => ({
  pts_time: seconds.toFixed(6),
  flags: key ? 'K_' : '__',
});

describe('probe report', () => {
  it('measures the frame rate instead of trusting the declared one', () => {
    const packets = Array.from({ length: 30 }, (_, index) => packet(index / 12.5, index % 10 === 0));
    const stream = { codec_name: 'h264', width: 640, height: 480, avg_frame_rate: '25/1' };

    expect(
      parseProbe(JSON.stringify({ packets, streams: [stream], format: { duration: '2.4' } }), 'a.mp4'),
    ).toEqual({
      source: 'a.mp4',
      codec: 'h264',
      width: 640,
      height: 480,
      declaredFps: 25,
      measuredFps: 12.5,
      variableFrameRate: false,
      keyframeIntervalMs: 800,
      durationMs: 2400,
    });
  });

  it('takes packets in decoding order, and leaves out what it cannot know', () => {
    const packets = [packet(0, true), packet(0.12), packet(0.04), packet(0.08), {}];
    const stream = { codec_name: 'hevc', width: 64, height: 64, avg_frame_rate: '0/0' };

    expect(parseProbe(JSON.stringify({ packets, streams: [stream], format: {} }), 'cam')).toEqual({
      source: 'cam',
      codec: 'hevc',
      width: 64,
      height: 64,
      measuredFps: 25,
      variableFrameRate: false,
    });
  });

  it('reports nothing where there is no video stream', () => {
    expect(parseProbe('{"packets":[],"streams":[],"format":{}}', 'a.wav')).toBeUndefined();
  });
});
