import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { jsonLines, runCli } from '../support/cli.ts';
import { ffmpeg } from '../support/lavfi.ts';
import { fileDirectory } from '../support/temporary-directory.ts';
import { expectRefused, TINY, type Wrong } from './refusal.ts';

// Each test is a process or two that mostly loads: one a core.
vi.setConfig({ maxConcurrency: 2 });

const directory = fileDirectory();
const at = (name: string): string => path.join(directory(), name);

describe.concurrent('videos', () => {
  beforeAll(async () => {
    const source = ['-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=10:duration=4', '-pix_fmt', 'yuv420p'];
    // The index of a .mp4 is at its end: cut off, nothing can be read. A .mkv can be read up to the cut.
    await ffmpeg(...source, at('whole.mp4'));
    await ffmpeg(...source, at('whole.mkv'));
    await ffmpeg('-f', 'lavfi', '-i', 'sine=duration=1', at('sound.mp4'));
    for (const name of ['whole.mp4', 'whole.mkv']) {
      const bytes = await readFile(at(name));
      await writeFile(at(name.replace('whole', 'truncated')), bytes.subarray(0, bytes.length / 2));
    }
    await writeFile(at('letter.mp4'), 'Dear camera,\n'.repeat(100));
    await writeFile(at('empty.mp4'), '');
    await mkdir(at('folder.mp4'));
  });

  const wrong: readonly (readonly [string, number, RegExp])[] = [
    [
      'letter.mp4',
      2,
      /INPUT_INVALID: .*letter\.mp4: Invalid data found.*; the file is damaged, cut short or no video/,
    ],
    ['truncated.mp4', 2, /INPUT_INVALID: .*truncated\.mp4: .*; the file is damaged, cut short or no video/],
    ['empty.mp4', 2, /INPUT_INVALID: .*empty\.mp4 is empty \(0 bytes\); copy or record it anew/],
    [
      'missing.mp4',
      2,
      /INPUT_INVALID: cannot open .*missing\.mp4: no such file, or not readable; check the path/,
    ],
    ['folder.mp4', 2, /INPUT_INVALID: .*folder\.mp4 is a directory, not a video file; name a file/],
    ['sound.mp4', 1, /SOURCE_NO_VIDEO: .*sound\.mp4: .*; give a source with a video track/],
  ];

  test.each(wrong)('infer %s', async (name, code, says) => {
    await expectRefused({
      what: name,
      args: () => ['infer', at(name), ...TINY, '--json'],
      code,
      says: [says],
    });
  });

  test.each(wrong.filter(([name]) => /letter|sound/.test(name)))('probe %s', async (name, code, says) => {
    await expectRefused({
      what: name,
      args: () => ['probe', at(name), '--json'],
      code,
      says: [/error /, new RegExp(says.source.split(':')[0]!)],
    });
  });

  test('run: the stream fails with the same message, and the log line carries its code', async () => {
    const { code, stderr } = await runCli([
      'run',
      '--source',
      at('letter.mp4'),
      ...TINY,
      '--journal',
      at('journal'),
    ]);

    expect(code).toBe(2);
    expect(stderr).toMatch(/letter failed \(INPUT_INVALID: .*letter\.mp4: Invalid data found/);
    const failed = stderr.split('\n').find((line) => line.includes('"stream failed"'));
    expect(JSON.parse(failed ?? '{}')).toMatchObject({ level: 'error', err: { type: 'INPUT_INVALID' } });
  });

  test('a video that was cut off gives the clips up to there, and an error that says how much was read', async () => {
    const { code, stdout, stderr } = await runCli([
      'infer',
      at('truncated.mkv'),
      ...TINY,
      '--json',
      '--fps',
      '10',
    ]);

    expect(code, stderr).toBe(2);
    // Half of the bytes; how much of the time that is depends on the encoder.
    expect(stderr).toMatch(/INPUT_INVALID: .*truncated\.mkv: read [12]\.\d s of 4\.0 s \([2-6]\d %\)/);
    const clips = jsonLines(stdout).length;
    expect(clips).toBeGreaterThan(0);
    expect(clips).toBeLessThan(
      jsonLines((await runCli(['infer', at('whole.mkv'), ...TINY, '--json', '--fps', '10'])).stdout).length,
    );
  });
});

describe.concurrent('cameras', () => {
  test.each<Wrong>([
    {
      what: 'no such host',
      args: () => ['probe', 'rtsp://viewer:s3cret@no-such-host.invalid/cam', '--json'],
      code: 3,
      says: [/SOURCE_UNREACHABLE: rtsp:\/\/.*no-such-host\.invalid\/cam: .*; check host, port and network/],
    },
    {
      what: 'nobody listens',
      args: () => ['infer', 'rtsp://viewer:s3cret@127.0.0.1:1/cam', ...TINY],
      code: 3,
      says: [/SOURCE_UNREACHABLE: rtsp:\/\/.*127\.0\.0\.1:1\/cam: .*refused; check host, port and network/],
    },
  ])('$what', async (wrong) => {
    await expectRefused({ ...wrong, says: [...wrong.says, /^(?![^]*s3cret)/] });
  });
});
