import { describe, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';

const SMALL = ['--frames', '16', '--size', '32', '--width', '0.1', '--classes', '5'];

describe('flags of the sampled arithmetic', () => {
  test('models inspect says how a network samples, and --sgs is --sgs-after', async () => {
    const { stdout } = await runCli([
      ...['models', 'inspect', 's3d-g', ...SMALL, '--json'],
      ...['--sgs', 'MaxPool_3a', '--similarity', 'grid:7:3', '--temporal-edge', 'edge'],
    ]);

    expect(JSON.parse(stdout)).toMatchObject({
      sampling: {
        after: 'MaxPool_3a',
        similarity: 'grid:7:3',
        temporal_edge: 'edge',
        time_means: 'multiplicity',
      },
    });
  });

  test('the shipped model keeps its arithmetic unless a flag says otherwise', async () => {
    const own = await runCli(['models', 'inspect', 'models/s3d-g-atfr', '--json']);
    const changed = await runCli([
      ...['models', 'inspect', 'models/s3d-g-atfr', '--json'],
      ...['--similarity', 'grid:4', '--time-means', 'multiplicity'],
    ]);

    const sampling = { after: 'Conv_2b', similarity: 'global', temporal_edge: 'zero', time_means: 'plain' };
    expect(JSON.parse(own.stdout)).toMatchObject({ sampling });
    expect(JSON.parse(changed.stdout)).toMatchObject({
      sampling: { ...sampling, similarity: 'grid:4', time_means: 'multiplicity' },
    });
  });

  test.each([
    [['--similarity', 'grid:0'], /grid:0.*grid:N/],
    [['--similarity', 'grid:3:10'], /at most N²/],
    [['--similarity', 'cells'], /expected global/],
    [['--temporal-edge', 'mirror'], /Allowed choices are zero, edge/],
    [['--min-steps', '0'], /whole number of 1 or more/],
    [['--representative', 'last'], /Allowed choices are mean, middle/],
  ])('%j is refused with what is allowed', async (flags, problem) => {
    const { code, stderr } = await runCli(['models', 'inspect', 's3d-g', ...SMALL, ...flags]);

    expect(code).toBe(2);
    expect(stderr).toMatch(problem);
  });
});
