import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { jsonLines, runCli } from '../support/cli.ts';
import { npyBytes } from '../support/npy.ts';
import { fileDirectory } from '../support/temporary-directory.ts';

// A device that is absent is refused by name, or done without where that was the choice, and then said.

vi.setConfig({ maxConcurrency: 2 });
const directory = fileDirectory();
const at = (name: string): string => path.join(directory(), name);
const TINY = '--model s3d --width 0.125 --classes 2'.split(' ');
/** A provider that no machine of this system has. */
const ABSENT = process.platform === 'darwin' ? 'directml' : 'coreml';

beforeAll(async () => {
  await writeFile(at('clip.npy'), npyBytes('|u1', [4, 32, 32, 3], new Uint8Array(4 * 32 * 32 * 3)));
});

describe.concurrent('a provider', () => {
  const infer = (...flags: string[]) => runCli(['infer', at('clip.npy'), ...TINY, ...flags]);

  test.each<[string, string[], number, RegExp]>([
    [
      'of another system',
      ['--provider', ABSENT],
      3,
      /ENGINE_UNAVAILABLE: .*exists on \w+ only.*--without-gpu cpu/,
    ],
    ['of another engine', ['--provider', 'wasm'], 2, /USAGE: engine onnx knows cpu, auto, .*, not wasm/],
    ['that nobody knows', ['--provider', 'abacus'], 2, /'abacus' is invalid.*Allowed choices are auto, cpu/],
  ])('%s is refused', async (_, flags, code, says) => {
    const result = await infer(...flags);

    expect(result.stderr.replaceAll(/\s+/g, ' ')).toMatch(says);
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code, stdout: '' });
  });

  test('that is absent may be done without: the clip is scored, and a line says on what', async () => {
    const result = await infer('--provider', ABSENT, '--without-gpu', 'cpu', '--json');

    expect(result.stderr).toContain(`running on cpu: onnx on ${ABSENT}: `);
    expect(result.code).toBe(0);
    expect(jsonLines(result.stdout)).toHaveLength(1);
  });

  test('tfjs without native code scores as onnx does', async () => {
    const scoresOf = async (...flags: string[]): Promise<number[]> => {
      const { stdout } = await infer(...flags, '--json');
      const [line] = jsonLines(stdout) as [{ logits: number[] }];
      return line.logits;
    };

    const [onnx, tfjs] = [await scoresOf(), await scoresOf('--engine', 'tfjs', '--provider', 'wasm')];

    tfjs.forEach((logit, k) => {
      expect(Math.abs(logit - onnx[k]!)).toBeLessThan(1e-4);
    });
  });

  test('that the engine of a configuration does not know is named with its place', async () => {
    const config = ['engine: { kind: tfjs, provider: webgpu }', 'streams: [{ id: a, url: a.mp4 }]', ''];
    await writeFile(at('wrong.yaml'), config.join('\n'));

    const result = await runCli(['validate', at('wrong.yaml')]);

    expect(result.stderr).toMatch(/wrong\.yaml:1:\d+: engine\.provider: engine tfjs knows .*, not webgpu/);
    expect(result.code).toBe(2);
  });
});

test('doctor says on what the engine of a configuration computes, and what it lacks', async () => {
  const streams = 'streams: [{ id: a, url: a.mp4 }]';
  const journal = `journal: { dir: ${at('journal')}, max_size: 1MiB, segment_size: 64KiB }`;
  const engine = (withoutGpu: string): string =>
    `engine: { kind: onnx, provider: ${ABSENT}, without_gpu: ${withoutGpu} }`;
  await writeFile(at('fail.yaml'), [engine('fail'), streams, journal, ''].join('\n'));
  await writeFile(at('cpu.yaml'), [engine('cpu'), streams, journal, ''].join('\n'));

  const [refused, done] = [
    await runCli(['doctor', at('fail.yaml')]),
    await runCli(['doctor', at('cpu.yaml')]),
  ];

  expect(refused.stdout).toMatch(/FAIL +onnx engine +onnx on \w+: .* exists on \w+ only/);
  expect(refused.code).toBe(3);
  expect(done.stdout).toMatch(/OK +onnx engine +on cpu, ready in \d+ ms; onnx on \w+: .* exists on \w+ only/);
});
