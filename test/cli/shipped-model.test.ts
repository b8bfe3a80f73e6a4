import { join } from 'node:path';
import { expect, test } from 'vitest';
import { demoScene } from '../../tools/scene/ready-made.ts';
import { writeSceneVideo } from '../../tools/scene/video.ts';
import type { ActionEvent, PublishedRecord } from '../../src/core/records.ts';
import { jsonLines, runCli } from '../support/cli.ts';
import { SHIPPED_MODEL } from '../support/shipped-model.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('the shipped model finds the fight of the demo scene, and keeps few steps of the empty room', async () => {
  const directory = await temporaryDirectory();
  const video = join(directory, 'scene.mp4');
  const truth = await writeSceneVideo(demoScene(), video);
  const fight = truth.actions.find(({ label }) => label === 'fight')!;

  const { code, stdout, stderr } = await runCli([
    'run',
    ...['--source', video, '--model', SHIPPED_MODEL, '--journal', join(directory, 'journal'), '--json'],
  ]);

  expect(code, stderr).toBe(0);
  const records = jsonLines(stdout) as PublishedRecord[];
  const fights = records.flatMap(({ type, payload }) =>
    type === 'action.event' && payload.state === 'ended' && payload.label === 'fight' ? [payload] : [],
  );
  expect(fights.some((event) => overlapS(event, fight.start_s, fight.end_s) > 2)).toBe(true);
  const still = records.flatMap(({ type, payload }) =>
    type === 'clip.stats' && Date.parse(payload.clip_end) < truth.actions[0]!.start_s * 1000
      ? [payload.compute.kept_steps]
      : [],
  );
  expect(still.length).toBeGreaterThan(5);
  expect(Math.max(...still)).toBeLessThanOrEqual(2);
});

function overlapS(event: ActionEvent, startS: number, endS: number): number {
  const [from, to] = [
    Date.parse(event.started_at) / 1000,
    Date.parse(event.ended_at ?? event.started_at) / 1000,
  ];
  return Math.min(to, endS) - Math.max(from, startS);
}
