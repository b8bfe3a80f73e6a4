import { describe, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';

describe('bench', () => {
  test('streams without a video says what to name, before anything is measured', async () => {
    const { code, stderr } = await runCli(['bench', 'streams']);

    expect(code).toBe(2);
    expect(stderr).toContain('name some of fixed cameras with --video');
  });

  test('settings that are no JSON object and parts that do not exist are refused', async () => {
    const settings = await runCli(['bench', 'reuse', '--settings', '[1']);
    const part = await runCli(['bench', 'everything']);

    expect([settings.code, part.code]).toEqual([2, 2]);
    expect(settings.stderr).toContain('--settings');
    expect(part.stderr).toContain('clip, model, stages, reuse, streams');
  });
});
