import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { findModel } from '../../src/inference/weights/find-model.ts';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import { openModel } from '../../src/inference/worker/spec.ts';
import { findFfmpeg } from '../../src/ingest/index.ts';
import { makeFootage } from './footage.ts';
import { auditTrial, type TrialClip } from './trial.ts';

/**
 * What the audit does on a camera that changes: a video again and again, then the same under a filter of
 * ffmpeg, then as it was. Footage is taken as fast as it can be computed: minutes are minutes of footage.
 *
 *     npm run trial:audit -- VIDEO --change 'format=gray,eq=contrast=0.4,gblur=sigma=3' --minutes 10,20,40
 *
 * A line a minute. `configured` and `in use`: agreement with the dense network over all clips of the minute,
 * of the configured δ and of what was published; the audit sees a share of them. `cost`: multiply-adds over
 * those of dense.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 's3d-g-atfr' },
    change: { type: 'string', default: 'format=gray,eq=contrast=0.4,gblur=sigma=3' },
    minutes: { type: 'string', default: '10,20,40' },
    share: { type: 'string', default: '0.01' },
    agreement: { type: 'string', default: '0.98' },
    delta: { type: 'string' },
  },
});
const [video] = positionals;
const path = findModel(values.model);
if (video === undefined || path === undefined) throw new Error('usage: VIDEO [--model M] [--change FILTER]');

const folder = await mkdtemp(join(tmpdir(), 'audit-trial-'));
try {
  const model = await openModel({ kind: 'file', path });
  await using engine = await createOnnxEngine({ model, threads: 1 });
  const { info } = engine;
  const footage = await makeFootage(video, {
    ...{ ffmpeg: (await findFfmpeg(env)).path, folder, fps: info.clip.fps, change: values.change },
    seconds: values.minutes.split(',').map((length) => 60 * Number(length)),
  });
  const width = values.delta === undefined ? {} : { width: Number(values.delta) };
  const say = (_: object, message: string): void => {
    stdout.write(`        ${message}\n`);
  };
  const clips = auditTrial(footage, {
    engine,
    sampler: info.sampler.kind === 'ordered' ? { ...info.sampler, ...width } : info.sampler,
    targets: { share: Number(values.share), agreement: Number(values.agreement) },
    logger: { debug: () => undefined, info: say, warn: say, error: say },
    ...{ env, signal: new AbortController().signal },
  });
  stdout.write('minute  clips  audited  δ/δ₀   agreement  low     configured  in use  cost\n');
  let minute: TrialClip[] = [];
  for await (const clip of clips) {
    const [first] = minute;
    if (first && Math.floor(first.endS / 60) < Math.floor(clip.endS / 60)) {
      stdout.write(lineOf(minute));
      minute = [];
    }
    minute.push(clip);
  }
  stdout.write(lineOf(minute));
} finally {
  await rm(folder, { recursive: true });
}

function lineOf(clips: readonly TrialClip[]): string {
  const last = clips.at(-1);
  if (!last) return '';
  const sum = (value: (clip: TrialClip) => number): number =>
    clips.reduce((all, clip) => all + value(clip), 0);
  const mean = (value: (clip: TrialClip) => number): string => (sum(value) / clips.length).toFixed(3);
  const { agreement, agreementLow, deltaScale, audited } = last.audit;
  const cost = sum(({ multiplyAdds }) => multiplyAdds) / sum(({ denseMultiplyAdds }) => denseMultiplyAdds);
  return `${[
    String(Math.floor(last.endS / 60)).padStart(6),
    String(clips.length).padStart(5),
    String(audited).padStart(7),
    deltaScale.toFixed(3),
    (agreement?.toFixed(3) ?? '–').padEnd(9),
    (agreementLow?.toFixed(3) ?? '–').padEnd(5),
    mean(({ configured }) => configured).padEnd(10),
    mean(({ inUse }) => inUse).padEnd(6),
    cost.toFixed(2),
  ].join('  ')}\n`;
}
