import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { fileDirectory } from '../support/temporary-directory.ts';

interface Reported {
  readonly name: string;
  readonly sgs_after?: string;
  readonly kept_steps?: number;
  readonly multiply_adds: number;
  readonly ms: number;
  readonly ms_from: number;
  readonly ms_to: number;
  readonly peak_mib: number;
  readonly stages?: readonly {
    readonly stage: string;
    readonly multiply_adds: number;
    readonly ms: number;
  }[];
}

const TINY = ['--frames', '8', '--size', '32', '--width', '0.1', '--classes', '3', '--rounds', '1'];
const folder = fileDirectory();

describe('models report', () => {
  test('measures each network in a process of its own, with and without SGS, and writes plots', async () => {
    const out = path.join(folder(), 'report');
    const sgs = ['--sgs-after', 'Conv_2b', '--kept-steps', '2'];

    const { code, stdout, stderr } = await runCli([
      ...['models', 'report', '--variants', 'I2D', '--json', '--out', out],
      ...[...sgs, ...TINY],
    ]);

    expect({ code, stderr }).toMatchObject({ code: 0 });
    const { networks } = JSON.parse(stdout) as { networks: readonly Reported[] };
    const [dense, sampled] = networks;
    expect(networks.map(({ name }) => name)).toEqual(['i2d', 'i2d']);
    expect(sampled).toMatchObject({ sgs_after: 'Conv_2b', kept_steps: 2 });
    expect(sampled!.multiply_adds).toBeLessThan(dense!.multiply_adds);
    for (const { ms, ms_from, ms_to, peak_mib } of networks) {
      expect(ms).toBeGreaterThan(0);
      expect(ms_from).toBeLessThanOrEqual(ms);
      expect(ms_to).toBeGreaterThanOrEqual(ms);
      expect(peak_mib).toBeGreaterThan(20);
    }
    const inStages = dense!.stages!.reduce((sum, stage) => sum + stage.multiply_adds, 0);
    expect(inStages).toBe(dense!.multiply_adds);
    for (const name of ['models-time', 'models-bars', 'models-stages']) {
      expect((await readFile(path.join(out, `${name}.svg`), 'utf8')).startsWith('<svg')).toBe(true);
      expect((await readFile(path.join(out, `${name}.png`))).subarray(1, 4).toString()).toBe('PNG');
    }
    expect(JSON.parse(await readFile(path.join(out, 'report.json'), 'utf8'))).toEqual(JSON.parse(stdout));
  });

  test.each([
    [['--variants', 's4d'], /no network "s4d"/],
    [['--sgs-after', 'Conv_2b'], /belong together/],
    [['--kept-steps', 'many', '--sgs-after', 'Conv_2b'], /whole number/],
    [['--accuracy', 'package.json', '--variants', 'i2d'], /npm run study/],
  ])(
    'refuses %j before anything is measured',
    async (flags, message) => {
      const { code, stderr } = await runCli(['models', 'report', ...flags]);

      expect(code).not.toBe(0);
      expect(stderr).toMatch(message);
    },
    60_000,
  );
});
