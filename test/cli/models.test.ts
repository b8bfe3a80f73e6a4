import { describe, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';

interface Inspected {
  readonly name: string;
  readonly parameters: number;
  readonly multiply_adds: number;
  readonly layers: readonly { name: string; multiply_adds: number; output_shape: number[] }[];
}

async function inspect(...args: string[]): Promise<Inspected> {
  const { code, stdout, stderr } = await runCli(['models', 'inspect', ...args, '--json']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Inspected;
}

describe('models inspect', () => {
  test('torchvision S3D to the last parameter; layers add up to the total', async () => {
    const s3d = await inspect('s3d', '--frames', '16');

    expect(s3d.parameters).toBe(8_320_048);
    expect(s3d.multiply_adds / 1e9).toBeCloseTo(17.98, 2);
    expect(s3d.layers.reduce((sum, layer) => sum + layer.multiply_adds, 0)).toBe(s3d.multiply_adds);
    expect(s3d.layers.find((layer) => layer.name === 'Mixed_5c')?.output_shape).toEqual([2, 7, 7, 1024]);
  });

  test('a sampler adds the SGS layer where asked', async () => {
    const network = await inspect(
      'i3d',
      '--sampler',
      'ordered',
      '--sgs-after',
      'Mixed_3c',
      '--sgs-size',
      '8',
    );

    expect(network.layers.map((layer) => layer.name)).toContain('SGS');
    expect(network.layers.findIndex((layer) => layer.name === 'SGS')).toBe(
      network.layers.findIndex((layer) => layer.name === 'Mixed_3c') + 1,
    );
  });

  test('an unknown network names the known ones and exits 2', async () => {
    const { code, stderr } = await runCli(['models', 'inspect', 's4d', '--json']);

    expect(code).toBe(2);
    expect(stderr).toMatch(/NETWORK_UNKNOWN: no network "s4d"; known: i3d, i2d/);
  });
});
