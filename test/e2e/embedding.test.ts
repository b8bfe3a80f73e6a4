import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { demoScene } from '../../tools/scene/ready-made.ts';
import { writeSceneVideo } from '../../tools/scene/video.ts';
import { ROOT } from '../support/cli.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

demandNoLeftovers();
const runFile = promisify(execFile);

test('the example runs a pipeline, and prints what its sink and its observables received', async () => {
  const directory = await temporaryDirectory();
  const video = path.join(directory, 'scene.mp4');
  await writeSceneVideo(demoScene({ view: 'ceiling' }), video);
  const args = ['--import', 'tsx', 'examples/embedded.ts', video, path.join(directory, 'journal')];
  const { stdout, stderr } = await runFile('node', args, { cwd: ROOT });

  expect(stdout).toMatch(/^fight: 1970-01-01T00:00:\d\d\.\d+Z to 1970-01-01T00:00:\d\d\.\d+Z$/m);
  expect(stdout).toMatch(/^delivered fight started$/m);
  expect(stdout).toMatch(/^delivered fight ended$/m);
  expect(stdout).toMatch(/^hall ended after \d+ clips and \d+ events$/m);
  expect(stderr).toMatch(/saved [4-9]\d %\n$/);
});

test('a pipeline delivers to a sink of its owner, fails with a code and leaves the process alone', async () => {
  const directory = await temporaryDirectory();
  const video = await busyVideo(directory);
  const script = path.join(ROOT, 'test/fixtures/child/embed.mjs');
  const { stdout } = await runFile('node', [script, video, path.join(directory, 'journal')], { cwd: ROOT });
  const { delivered, events, clips, ...rest } = JSON.parse(stdout) as {
    readonly delivered: readonly string[];
    readonly events: number;
    readonly clips: number;
  };

  expect(events).toBeGreaterThan(0);
  expect(delivered.filter((type) => type === 'action.event').length).toBe(events);
  expect(delivered.filter((type) => type === 'clip.stats').length).toBe(clips);
  expect(rest).toMatchObject({
    ...{ completed: true, outcomes: ['ended'], engine: 'null', handlers: 0 },
    failures: ['CONFIG_INVALID'],
    reasons: ['stopped'],
    failure: expect.stringMatching(/settings.*streams.*uri/s) as string,
    unnamed: expect.stringContaining('a sink cannot be named "kafka"') as string,
  });
});
