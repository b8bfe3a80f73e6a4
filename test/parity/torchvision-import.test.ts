import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sourcesOf } from '../../src/checkpoints/sources.ts';
import { torchvisionS3d } from '../../src/checkpoints/formats/torchvision.ts';
import { buildNetwork } from '../../src/inference/network/build.ts';
import { writeSafetensors } from '../../src/inference/weights/safetensors.ts';
import { runCli } from '../support/cli.ts';
import { goldenClip, goldenWeights } from '../support/golden-weights.ts';
import { npyBytes } from '../support/npy.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { torchvisionGolden } from '../support/torchvision-golden.ts';

// That the names are torchvision's own is shown on its file
// (checkpoints.test.ts); this one is as large as the published.
it("a full-size checkpoint in torchvision's names gives torchvision's logits through the command line", async () => {
  const { seed, gamma, logits, ...size } = torchvisionGolden();
  const dir = await temporaryDirectory();
  const network = buildNetwork({ ...size, variant: 's3d', classes: logits.length });
  const weights = goldenWeights(network, seed, gamma);
  const theirs = network.nodes
    .flatMap((node) => sourcesOf(node, torchvisionS3d))
    .map((source) => [source.theirs!, weights.get(source.ours)!] as const);
  await writeFile(join(dir, 's3d.safetensors'), writeSafetensors(new Map(theirs)));
  const { frames, height, width } = size;
  const clip = npyBytes('|u1', [frames, height, width, 3], goldenClip(seed, size).data);
  await writeFile(join(dir, 'clip.npy'), clip);

  const out = join(dir, 'model');
  const args = ['--from', 'torchvision-s3d', '--labels', 'kinetics400', '--out', out];
  const imported = await runCli(['models', 'import', join(dir, 's3d.safetensors'), ...args]);
  const inferred = await runCli(['infer', join(dir, 'clip.npy'), '--model', out, '--threads', '1', '--json']);

  expect(imported).toMatchObject({ code: 0, stderr: '' });
  expect(inferred).toMatchObject({ code: 0, stderr: '' });
  const found = (JSON.parse(inferred.stdout) as { logits: number[] }).logits;
  expect(found).toHaveLength(logits.length);
  expect(Math.max(...logits.map((logit, k) => Math.abs(logit - found[k]!)))).toBeLessThanOrEqual(1e-4);
});
