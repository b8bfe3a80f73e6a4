import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { ffmpeg } from '../support/lavfi.ts';
import {
  endRuns,
  isClip,
  nextRecord,
  recordsOf,
  startRun,
  terminate,
  TINY,
  writeConfig,
} from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

demandNoLeftovers();
afterEach(endRuns);

/** One step of eight is kept, whatever the picture shows. */
const DELTA = 1000;
/** Dense: 0.387 while the picture rests, above 0.397 once it moves. Sampled: 0.246 always. */
const ON = 0.394;

test('δ of an audited stream falls when its picture changes so that sampling no longer serves', async () => {
  const directory = await temporaryDirectory();
  const config = await writeConfig(directory, {
    ...TINY,
    sampler: { kind: 'ordered', width: DELTA },
    defaults: { realtime: true, window: { fps: 30, stride: 16 }, audit: { share: '100%', agreement: 0.9 } },
    events: { on: ON, off: ON - 0.1 },
    streams: [{ id: 'cam', url: await changingVideo(directory) }],
    journal: { dir: path.join(directory, 'journal') },
  });
  const run = startRun(['run', config, '--json']);
  await nextRecord(run, (record) => isClip(record) && record.payload.compute.audit_delta_scale! < 1);
  const { code, stderr } = await terminate(run);

  expect(code, stderr).toBe(0);
  const computes = recordsOf(run)
    .filter(isClip)
    .map(({ payload }) => payload.compute);
  expect(computes[0]).toMatchObject({ delta: DELTA, kept_steps: 1, audit_delta_scale: 1 });
  expect(computes[0]).not.toHaveProperty('audit_agreement');
  expect(computes.some(({ audit_agreement: agreement }) => agreement === 1)).toBe(true);
  const fallen = computes.findIndex(({ audit_delta_changes: changes }) => changes === 1);
  expect(computes[fallen - 1]).toMatchObject({ delta: DELTA, audit_delta_scale: 1 });
  expect(computes[fallen - 1]?.audit_agreement).toBeLessThan(1);
  expect(computes[fallen]).toMatchObject({ sampler: 'none', delta: 0, kept_steps: 8, audit_delta_scale: 0 });
  expect(stderr).toContain('audit: δ lowered to dense');
});

/** Bars that rest for 1.6 s; from then on they change colour, and a white box crosses them. */
async function changingVideo(directory: string): Promise<string> {
  const file = path.join(directory, 'changing.mp4');
  const changed = "enable='gte(t,1.6)'";
  const filters = [
    `hue=H=40*t:s=3:${changed}`,
    `drawbox=x='mod(200*t,160)':y=0:w=60:h=120:c=white:t=fill:${changed}`,
    'format=yuv420p',
  ];
  await ffmpeg(
    ...['-f', 'lavfi', '-i', ['smptebars=size=160x120:rate=30:duration=60', ...filters].join(',')],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '15', file],
  );
  return file;
}
