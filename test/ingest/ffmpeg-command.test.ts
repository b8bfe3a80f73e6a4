import { Writable } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { describeArguments, startFfmpeg, type FfmpegPlan } from '../../src/ingest/ffmpeg-command.ts';
import { samplingFilter } from '../../src/ingest/sampling-filter.ts';
import { composeSourceAddress } from '../../src/ingest/source-address.ts';

const SECRET = 'tr0ub4dor&3';

function planFor(url: string): FfmpegPlan {
  return {
    ffmpegPath: '/usr/bin/ffmpeg',
    address: composeSourceAddress({ url, username: 'admin', password: SECRET }),
    kind: url.startsWith('rtsp') ? 'live' : 'file',
    realtime: false,
    ioTimeoutMs: 5000,
    filter: samplingFilter({ width: 64, height: 48, fit: 'stretch', fps: 10 }),
  };
}

describe('ffmpeg command', () => {
  it('shows neither password nor address of a camera in the process list', () => {
    const shown = describeArguments(planFor('rtsp://cam.local/live')).join(' ');

    expect(shown).toContain('-i pipe:0');
    expect(shown).not.toContain(SECRET);
    expect(shown).not.toContain('cam.local');
  });

  it('asks for source times, no invented or dropped frames, and raw frames of one size', () => {
    const shown = describeArguments(planFor('/videos/a b.mp4'));

    expect(shown).toContain('file:/videos/a b.mp4');
    expect(shown).toContain('-copyts');
    expect(shown.join(' ')).toContain('-fps_mode passthrough');
    expect(shown[shown.indexOf('-filter:v') + 1]).toMatch(
      /^settb=1\/1000000,select='.*',metadata=.*,scale=64:48/,
    );
    expect(shown.slice(-3)).toEqual(['-f', 'rawvideo', 'pipe:1']);
  });

  it("reads a file at its own pace only where asked, and a camera at the camera's", () => {
    const shown = (url: string, realtime: boolean): readonly string[] =>
      describeArguments({ ...planFor(url), realtime });

    expect(shown('/videos/a.mp4', false)).not.toContain('-re');
    expect(shown('/videos/a.mp4', true)).toContain('-re');
    expect(shown('rtsp://cam.local/live', true)).not.toContain('-re');
  });

  it('keeps the encoded video beside the raw frames, in a thread of its own, only where asked', () => {
    const plan = planFor('rtsp://cam.local/live');
    const shown = describeArguments({ ...plan, ringDir: '/media/100%/cam' }).join(' ');

    expect(describeArguments(plan).at(-1)).toBe('pipe:1');
    expect(shown).toMatch(/pipe:1 -map 0:v:0 -c copy -f fifo .*\/media\/100%%\/cam\/ring-\d{13}-%06d\.ts$/);
    expect(shown).not.toContain(SECRET);
  });

  it('crops from the middle without bending the frame', () => {
    const filter = samplingFilter({ width: 64, height: 48, fit: 'crop', fps: 10 });

    expect(filter).toContain("scale=w='max(64,round(48*(iw*sar/ih)))':h='max(48,round(64/(iw*sar/ih)))'");
    expect(filter).toMatch(/,crop=64:48$/);
  });

  it('cuts the middle out of a frame scaled beyond the size, as networks saw it in training', () => {
    const size = { width: 224, height: 224, fps: 10, scale: 256 / 224 } as const;

    expect(samplingFilter({ ...size, fit: 'stretch' })).toMatch(
      /,scale=256:256:flags=bilinear,crop=224:224$/,
    );
    expect(samplingFilter({ ...size, fit: 'crop' })).toMatch(
      /,scale=w='max\(256,.*'max\(256,.*':flags=bilinear,crop=224:224$/,
    );
  });

  it('says what to do where there is no ffmpeg', async () => {
    const start = startFfmpeg({ ...planFor('/videos/a.mp4'), ffmpegPath: '/nowhere/ffmpeg' }, new Writable());

    await expect(start).rejects.toMatchObject({
      code: 'FFMPEG_MISSING',
      message: expect.stringMatching(/\/nowhere\/ffmpeg.*FFMPEG_PATH/s) as string,
    });
  });
});
