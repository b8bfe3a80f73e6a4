import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { writeSafetensors } from '../../src/inference/weights/safetensors.ts';
import { jsonLines, runCli } from '../support/cli.ts';
import { goldenModel } from '../support/golden-weights.ts';
import { ffmpeg } from '../support/lavfi.ts';
import { npyBytes } from '../support/npy.ts';
import { fileDirectory } from '../support/temporary-directory.ts';

// What people give by mistake: the exit code, and one message that names the thing, the place and the remedy.

// Each test is a process or two that mostly loads: one a core.
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 2 });
const directory = fileDirectory();
const at = (name: string): string => path.join(directory(), name);
const TINY = '--model s3d-g --width 0.125 --frames 4 --size 32 --classes 2 --engine null'.split(' ');

interface Wrong {
  readonly what: string;
  readonly args: () => readonly string[];
  readonly code: number;
  readonly says: readonly (string | RegExp)[];
}

async function expectRefused({ args, code, says }: Wrong): Promise<void> {
  const result = await runCli(args());
  for (const text of says) expect(result.stderr).toMatch(text);
  expect(result.stderr, 'no stack trace').not.toMatch(/^\s+at .*:\d+:\d+/m);
  expect({ code: result.code, stdout: result.stdout }).toEqual({ code, stdout: '' });
}

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
    expect(stderr).toMatch(/INPUT_INVALID: .*truncated\.mkv: read 1\.\d s of 4\.0 s \(4\d %\)/);
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

describe.concurrent('configuration', () => {
  const STREAMS = 'streams:\n  - { id: a, url: a.mp4 }\n';

  test.each([
    ['an unknown key', `${STREAMS}evnts: {}\n`, 'CONFIG:3:1: evnts: unknown key; did you mean "events"?'],
    [
      'a wrong type',
      `${STREAMS}model: { frames: many }\n`,
      'CONFIG:3:18: model.frames: expected a whole number from 1 to 1024, not "many"',
    ],
    [
      'a wrong word',
      `${STREAMS}sampler: { kind: orderd }\n`,
      'CONFIG:3:18: sampler.kind: expected one of none, uniform, reference, ordered, not "orderd"; did you mean "ordered"?',
    ],
    ['no YAML', 'streams: [\n', 'CONFIG:'],
  ])('%s', async (what, text, message) => {
    const file = at(`${what}.yaml`);
    await writeFile(file, text);
    const { code, stdout, stderr } = await runCli(['validate', file]);

    expect(stderr).toMatch(/^error CONFIG_INVALID: /);
    expect(stderr).toContain(message.replace('CONFIG', file));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test.each([
    ['run', ['run']],
    ['events verify', ['events', 'verify']],
  ])('%s refuses it alike, before anything starts', async (what, command) => {
    const file = at(`${what}.yaml`);
    await writeFile(file, `${STREAMS}evnts: {}\n`);
    const { code, stdout, stderr } = await runCli([...command, file]);

    expect(stderr).toContain(`${file}:3:1: evnts: unknown key; did you mean "events"?`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('a label that the model does not know', async () => {
    const settings = `model: { network: s3d-g, classes: 2, width: 0.125, frames: 4, size: 32 }\nengine: { kind: 'null' }\njournal: { dir: '${at('journal-label')}' }\n`;
    await writeFile(at('label.yaml'), `${STREAMS}${settings}events: { labels: { fal: { on: 0.5 } } }\n`);
    for (const command of ['run', 'validate']) {
      const { code, stderr } = await runCli([command, at('label.yaml')]);

      expect(stderr).toMatch(
        /CONFIG_INVALID: stream a: the model untrained-s3d-g has no label "fal"; it has class-0, class-1/,
      );
      expect(code).toBe(2);
    }
  });

  test.each<Wrong>([
    {
      what: 'a file that is not there',
      args: () => ['validate', at('none.yaml')],
      code: 2,
      says: [/CONFIG_INVALID: .*none\.yaml: cannot be read: ENOENT/],
    },
    {
      what: 'neither file nor source',
      args: () => ['run'],
      code: 2,
      says: [/USAGE: name a configuration file, or a camera or video with --source/],
    },
    {
      what: 'an unknown flag',
      args: () => ['run', '--sauce', 'a'],
      code: 2,
      says: [/unknown option '--sauce'/, /Did you mean --source|--help/],
    },
  ])('$what', expectRefused);
});

describe.concurrent('models and samplers', () => {
  const clip = (): string => at('clip.npy');
  beforeAll(async () => {
    await writeFile(clip(), npyBytes('|u1', [4, 32, 32, 3], new Uint8Array(4 * 32 * 32 * 3)));
  });

  test.each<Wrong>([
    {
      what: 'unknown network',
      args: () => ['infer', clip(), '--model', 's4d'],
      code: 2,
      says: [/NETWORK_UNKNOWN: no network "s4d"; known: i3d, /],
    },
    {
      what: 'unknown layer',
      args: () => ['infer', clip(), '--model', 's3d-g', '--sampler', 'ordered', '--sgs-after', 'Mixed_9z'],
      code: 2,
      says: [/NETWORK_UNKNOWN: no layer "Mixed_9z"; known: Conv_1a, /],
    },
    {
      what: 'unknown layer of a network',
      args: () => ['models', 'inspect', 'top-heavy-s3d:Mixed_9z', '--json'],
      code: 2,
      says: [/NETWORK_UNKNOWN: .*Mixed_9z/],
    },
    {
      what: 'unknown sampler',
      args: () => [
        'infer',
        clip(),
        ...TINY.filter((flag) => !['--frames', '4', '--size', '32'].includes(flag)),
        '--sampler',
        'orderd',
      ],
      code: 2,
      says: [/SAMPLER_INVALID: sampler\.kind: expected one of none, uniform, reference, ordered, not orderd/],
    },
    {
      what: 'unknown engine',
      args: () => ['infer', clip(), '--model', 's3d-g', '--engine', 'tpu'],
      code: 2,
      says: [
        /option '--engine <kind>' argument 'tpu' is invalid\. Allowed choices are onnx, tfjs, reference, null/,
      ],
    },
    {
      what: 'no such model',
      args: () => ['infer', clip(), '--model', at('none/model.safetensors')],
      code: 2,
      says: [/MODEL_INVALID: .*none\/model\.safetensors: no such model folder.*; check the path/],
    },
    {
      what: 'frames that are no number',
      args: () => ['infer', clip(), '--model', 's3d-g', '--frames', 'four'],
      code: 2,
      says: [/option '--frames <T>' argument 'four' is invalid\. Expected a whole number of 1 or more/],
    },
    {
      what: 'a rate that is no number',
      args: () => ['infer', clip(), '--model', 's3d-g', '--fps', 'four'],
      code: 2,
      says: [/option '--fps <r>' argument 'four' is invalid\. Expected a number above 0/],
    },
    {
      what: 'a seed that is no number',
      args: () => ['infer', clip(), '--model', 's3d-g', '--seed', 'four'],
      code: 2,
      says: [/option '--seed <n>' argument 'four' is invalid\. Expected a whole number of 0 or more/],
    },
  ])('$what', async (wrong) => {
    const { code, stdout, stderr } = await runCli(wrong.args());
    for (const text of wrong.says) expect(stderr).toMatch(text);
    expect({ code, stdout }).toEqual({ code: wrong.code, stdout: '' });
  });

  test('weights of another shape: the tensor by its dotted path, with both shapes', async () => {
    const network = {
      variant: 's3d-g',
      frames: 4,
      height: 32,
      width: 32,
      classes: 2,
      widthMultiplier: 0.125,
    } as const;
    const { manifest, weights } = goldenModel({ network, seed: 1 });
    const [name, tensor] =
      [...weights].find(([key]) => key === 'Mixed_3b.branch1.0.spatial.weight') ?? [...weights][0]!;
    const shape = [...tensor.shape];
    shape[0] = shape[0]! + 1;
    const size = shape.reduce((product, n) => product * n, 1);
    const bytes = writeSafetensors(new Map([...weights, [name, { shape, data: new Float32Array(size) }]]));
    const model = at('wrong-model');
    await mkdir(model);
    await writeFile(path.join(model, 'model.safetensors'), bytes);
    await writeFile(
      path.join(model, 'manifest.json'),
      JSON.stringify({ ...manifest, weights: { ...manifest.weights, sha256: sha256(bytes) } }),
    );

    const { code, stdout, stderr } = await runCli(['infer', clip(), '--model', model, '--json']);

    const shapes = `${name}: found [${shape.join(', ')}], wanted [${tensor.shape.join(', ')}]`;
    expect(name).toMatch(/^\w+(\.\w+)+$/);
    expect(stderr).toMatch(
      /MODEL_INVALID: .*wrong-model\/model\.safetensors: 1 of \d+ tensors do not fit s3d-g/,
    );
    expect(stderr).toContain(shapes);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('weights that are not those of the manifest', async () => {
    const network = {
      variant: 's3d-g',
      frames: 4,
      height: 32,
      width: 32,
      classes: 2,
      widthMultiplier: 0.125,
    } as const;
    const { manifest, weights } = goldenModel({ network, seed: 1 });
    const model = at('damaged-model');
    await mkdir(model);
    await writeFile(path.join(model, 'model.safetensors'), writeSafetensors(weights).subarray(0, -4));
    await writeFile(path.join(model, 'manifest.json'), JSON.stringify(manifest));
    const { code, stderr } = await runCli(['infer', clip(), '--model', model]);

    expect(stderr).toMatch(
      /MODEL_INVALID: .*model\.safetensors: SHA-256 is \w+, but .*manifest\.json says \w+: the file is damaged or of another version/,
    );
    expect(code).toBe(2);
  });
});

describe.concurrent('.npy files', () => {
  beforeAll(async () => {
    const save = (name: string, descr: string, shape: readonly number[], bytes: number): Promise<void> =>
      writeFile(
        at(name),
        npyBytes(descr, shape, new Uint8Array(shape.reduce((product, n) => product * n, bytes))),
      );
    await save('floats.npy', '<f4', [4, 32, 32, 3], 4);
    await save('grey.npy', '|u1', [4, 32, 32], 1);
    await save('pixels.npy', '|u1', [4, 32, 32, 3], 1);
    await save('integers.npy', '<i8', [4, 8], 8);
    await save('cube.npy', '<f4', [4, 8, 2], 4);
    await save('embeddings.npy', '<f4', [4, 8], 4);
    await writeFile(at('cut.npy'), (await readFile(at('pixels.npy'))).subarray(0, 1000));
    await writeFile(at('letter.npy'), 'Dear numpy,');
  });
  const infer = (name: string) => (): readonly string[] => ['infer', at(name), '--model', 's3d-g', '--json'];
  const sample =
    (name: string, ...flags: string[]) =>
    (): readonly string[] => ['sample', at(name), '--sampler', ...flags, '--json'];

  test.each<Wrong>([
    {
      what: 'infer: floats',
      args: infer('floats.npy'),
      code: 2,
      says: [/INPUT_INVALID: .*floats\.npy: a clip must be uint8 \[T, H, W, 3\], not float \[4, 32, 32, 3\]/],
    },
    {
      what: 'infer: no channels',
      args: infer('grey.npy'),
      code: 2,
      says: [/INPUT_INVALID: .*grey\.npy: a clip must be uint8 \[T, H, W, 3\], not uint8 \[4, 32, 32\]/],
    },
    {
      what: 'infer: cut short',
      args: infer('cut.npy'),
      code: 2,
      says: [
        /INPUT_INVALID: .*cut\.npy: shape \[4, 32, 32, 3\] of \|u1 needs 12288 bytes, the file holds 872/,
      ],
    },
    {
      what: 'infer: no .npy',
      args: infer('letter.npy'),
      code: 2,
      says: [/INPUT_INVALID: .*letter\.npy: is no \.npy file; save it with numpy\.save/],
    },
    {
      what: 'infer: not there',
      args: infer('none.npy'),
      code: 2,
      says: [/INPUT_INVALID: .*none\.npy: cannot be read: ENOENT/],
    },
    {
      what: 'sample: integers',
      args: sample('integers.npy', 'ordered'),
      code: 2,
      says: [/INPUT_INVALID: .*integers\.npy: holds <i8; save uint8, float32 or float64/],
    },
    {
      what: 'sample: pixels',
      args: sample('pixels.npy', 'ordered'),
      code: 2,
      says: [/INPUT_INVALID: .*pixels\.npy: embeddings must be float32 \[T, L\]/],
    },
    {
      what: 'sample: three axes',
      args: sample('cube.npy', 'ordered'),
      code: 2,
      says: [/INPUT_INVALID: .*cube\.npy: embeddings must be float32 \[T, L\], not \[4, 8, 2\]/],
    },
    {
      what: 'sample: unknown kernel',
      args: sample('embeddings.npy', 'reference', '--kernel', 'gauss'),
      code: 2,
      says: [/SAMPLER_INVALID: sampler\.kernel: expected one of linear, .*, not gauss/],
    },
    {
      what: 'sample: unknown sampler',
      args: sample('embeddings.npy', 'orderd'),
      code: 2,
      says: [/SAMPLER_INVALID: sampler\.kind: expected one of none, .*, not orderd/],
    },
    {
      what: 'sample: negative width',
      args: sample('embeddings.npy', 'ordered', '--width', '-1'),
      code: 2,
      says: [/option '--width <δ>' argument '-1' is invalid\. Expected a number of 0 or more/],
    },
  ])('$what', expectRefused);
});

describe.concurrent('journal, database and events', () => {
  test('a journal under a regular file', async () => {
    await writeFile(at('plain'), '');
    const { code, stderr } = await runCli([
      'run',
      '--source',
      'a.mp4',
      ...TINY,
      '--journal',
      at('plain/journal'),
    ]);

    expect(stderr).toMatch(
      /JOURNAL_UNWRITABLE: journal .*plain\/journal cannot be written: ENOTDIR.*; make the directory writable/,
    );
    expect(code).toBe(1);
  });

  const ABSENT = 'postgres://user:s3cret@127.0.0.1:1/events';
  test.each<Wrong>([
    {
      what: 'verify without a journal',
      args: () => ['events', 'verify', '--journal', at('none'), '--json'],
      code: 2,
      says: [/INPUT_INVALID: no journal at .*none; name the journal\.dir/],
    },
    {
      what: 'query without a database',
      args: () => ['events', 'query', '--json'],
      code: 2,
      says: [
        /USAGE: no database: name a configuration file with sinks\.postgres, --postgres URL, or set DATABASE_URL/,
      ],
    },
    {
      what: 'query of a database that is absent',
      args: () => ['events', 'query', '--postgres', ABSENT],
      code: 3,
      says: [
        /POSTGRES_UNREACHABLE: Postgres at 127\.0\.0\.1:1\/events: .*ECONNREFUSED.*; check postgres\.url/,
        /^(?![^]*s3cret)/,
      ],
    },
    {
      what: 'migrate of a database that is absent',
      args: () => ['migrate', '--postgres', ABSENT],
      code: 3,
      says: [/POSTGRES_UNREACHABLE: /, /^(?![^]*s3cret)/],
    },
    {
      what: 'a time that is none',
      args: () => ['events', 'query', '--postgres', ABSENT, '--since', 'soon'],
      code: 2,
      says: [
        /'--since <time>' argument 'soon' is invalid\. Expected a time such as 2026-11-22T10:15:00Z, or a/,
      ],
    },
  ])('$what', expectRefused);
});

describe.concurrent('--json outputs are JSON, a line a thing', () => {
  test.each([
    ['models ls', ['models', 'ls', '--json']],
    ['models inspect', ['models', 'inspect', 's3d-g', '--json']],
    ['doctor', ['doctor', '--json']],
  ])('%s', async (_, args) => {
    const { code, stdout, stderr } = await runCli(args);

    expect(code, stderr).toBe(0);
    expect(jsonLines(stdout).length).toBeGreaterThan(0);
  });

  test('config print', async () => {
    await writeFile(at('good.yaml'), 'streams:\n  - { id: a, url: "rtsp://viewer:s3cret@cam/1" }\n');
    const { code, stdout } = await runCli(['config', 'print', at('good.yaml'), '--json']);

    expect(code).toBe(0);
    expect(jsonLines(stdout).length).toBeGreaterThan(10);
    expect(stdout).not.toContain('s3cret');
  });
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe.concurrent('without a model the shipped one is meant', () => {
  test.each(['evaluate', 'infer'])('%s', async (command) => {
    const missing = at('nothing-there');
    const args = command === 'evaluate' ? ['evaluate', '--data', missing] : ['infer', missing];

    const { code, stderr } = await runCli(args);

    expect(code).toBe(2);
    expect(stderr).toContain('INPUT_INVALID');
    expect(stderr).toContain('nothing-there');
  });
});
