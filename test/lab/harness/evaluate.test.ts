import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from 'vitest';
import { evaluate } from '../../../src/lab/harness/evaluate.ts';
import type { EvaluationReport, EvaluationRequest, VideoFailure } from '../../../src/lab/harness/types.ts';
import { printEvaluation } from '../../../src/cli/evaluation-tables.ts';
import type { InferenceEngine } from '../../../src/inference/engine.ts';
import { createOnnxEngine } from '../../../src/inference/engines/onnx/onnx-engine.ts';
import { jsonLines } from '../../support/cli.ts';
import { LABELS, tinyModel, writeClips, writeManifest } from '../../support/evaluation-clips.ts';
import { fileDirectory } from '../../support/temporary-directory.ts';
import { createReferenceEngine } from '../../support/own-engines.ts';

// Random weights: what is proved is the way from a list to its figures, not how right they are.

const PUBLIC_LABELS = ['abseiling', 'zumba', 'Holding something', 'Archery', 'wave'];

const folder = fileDirectory();
const at = (...names: readonly string[]): string => path.join(folder(), ...names);
beforeAll(() => writeClips(at('clips')));

interface Prediction {
  readonly path: string;
  readonly scores: Readonly<Record<string, number>>;
  readonly compute: { readonly kept_steps: readonly number[]; readonly multiply_adds: number };
}

interface Evaluated {
  readonly report: EvaluationReport;
  readonly lines: readonly Prediction[];
  readonly notes: readonly string[];
  readonly failures: readonly VideoFailure[];
}

/** In this process, with the engine that defines what is correct. */
async function run(
  given: Partial<EvaluationRequest> & { readonly data: string },
  labels = LABELS,
  openEngine = (): Promise<InferenceEngine> => Promise.resolve(createReferenceEngine(tinyModel(labels))),
): Promise<Evaluated> {
  const notes: string[] = [];
  const failures: VideoFailure[] = [];
  const request: EvaluationRequest = {
    ...{ format: 'manifest', datasets: [], tasks: {}, sampler: {}, window: {}, order: 'normal' },
    ...{ views: { crops: 1 }, seed: 1, predictions: at('predictions.ndjson') },
    model: { model: 'tiny', seed: 0, engine: { kind: 'reference' }, network: {}, sgsForced: false },
    ...given,
  };
  const observer = {
    onReady: () => undefined,
    onNote: (note: string) => notes.push(note),
    onVideo: (_: string, failure?: VideoFailure) => {
      if (failure) failures.push(failure);
    },
  };
  const { signal } = new AbortController();
  const context = { version: 'test', env: process.env, signal, openEngine };
  const report = await evaluate(request, observer, context);
  const lines = jsonLines(await readFile(at('predictions.ndjson'), 'utf8')) as Prediction[];
  return { report, lines, notes, failures };
}

const manifest = (...rows: readonly string[]): Promise<string> => writeManifest(at('clips'), rows);

describe('our manifest', () => {
  test('each data set has its figures; what cannot be read is named, the rest is evaluated', async () => {
    const data = await manifest(
      'fight-surv,forwards.mkv,fight,,,test',
      `fight-surv,${at('clips', 'backwards.mkv')},no_fight,,,test`,
      'fight-surv,broken.mp4,fight,,,test',
      'fight-surv,gone.mp4,fight,,,test',
      'ut-interaction,forwards.mkv,hug,,,test',
      'ut-interaction,backwards.mkv,none,,,test',
      'ut-interaction,long.mp4,push,90,99,test',
      'fir-action,long.mp4,falling,1,2,test',
      'fir-action,long.mp4,falling,4,5,test',
      'fir-action,long.mp4,sitdown,3,4,test',
      'cctv,long.mp4,street,,,test',
      'of their own,forwards.mkv,Walk,,,test',
      'fight-surv,forwards.mkv,fight,,,train',
    );

    const { report, lines, notes, failures } = await run({ data, split: 'test' });

    const { datasets, failed, compute } = report;
    expect(failed.map(({ path: file, code }) => [file, code])).toEqual([
      ['broken.mp4', 'INPUT_INVALID'],
      ['gone.mp4', 'INPUT_INVALID'],
      ['long.mp4', 'INPUT_INVALID'],
    ]);
    expect(failures).toEqual(failed);
    expect(failed[2]!.message).toContain('long.mp4: no frame from 90 s to 99 s; the video ends at 5.9 s');
    expect(notes).toEqual(['cctv: 1 clips left out: --dataset cctv measures its cost']);
    expect(datasets['fight-surv']).toMatchObject({ task: 'detection', n: 2, positives: 1, threshold: 0.5 });
    expect(datasets['fight-surv']).toHaveProperty('auc');
    expect(datasets['ut-interaction']).toMatchObject({ task: 'choice', n: 1, choices: 6, left_out: 1 });
    expect(datasets['fir-action']).toMatchObject({ task: 'events', videos: 1, falls: 2, hours: 0.0017 });
    expect(datasets['of their own']).toMatchObject({ task: 'classification', n: 1, choices: 9 });
    expect(datasets).not.toHaveProperty('cctv');
    // What was paid is what was predicted.
    const kept = lines.flatMap((line) => line.compute.kept_steps);
    expect(compute).toMatchObject({ inferences: kept.length });
    expect(compute!.kept_steps).toBeCloseTo(kept.reduce((sum, steps) => sum + steps, 0) / kept.length, 3);
    const spent = lines.reduce((sum, line) => sum + line.compute.multiply_adds, 0);
    expect(compute!.multiply_adds).toBe(Math.round(spent / kept.length));
    expect(Object.values(compute!.histogram).reduce((sum, clips) => sum + clips, 0)).toBe(kept.length);
  });

  test('several labels of one video are clips of their own, more windows and views more inferences', async () => {
    const data = await manifest('ut-interaction,long.mp4,hug,1,3,', 'ut-interaction,long.mp4,kick,2.5,5,');

    const { report, lines } = await run({ data, views: { clips: 4, crops: 3 } });

    expect(report.datasets['ut-interaction']).toMatchObject({ n: 2, videos: 1, compute: { inferences: 24 } });
    expect(lines[0]!.scores).not.toEqual(lines[1]!.scores);
  });

  test('reversed order shows a clip as its reversed video does', async () => {
    const scoresOf = async (video: string, order: 'normal' | 'reversed'): Promise<Prediction['scores']> => {
      const { lines } = await run({ data: await manifest(`of their own,${video},hug,,,`), order });
      return lines[0]!.scores;
    };

    const forwards = await scoresOf('forwards.mkv', 'normal');
    const reversed = await scoresOf('forwards.mkv', 'reversed');

    expect(reversed).not.toEqual(forwards);
    expect(await scoresOf('backwards.mkv', 'normal')).toEqual(reversed);
  });

  test('every labelled clip is a stream of its own, which is forgotten; reversed windows share nothing, and that is said', async () => {
    const data = await manifest('ut-interaction,long.mp4,hug,1,3,', 'ut-interaction,long.mp4,kick,2.5,5,');
    const seen = new Map<string, 'open' | 'closed'>();
    const openEngine = async (): Promise<InferenceEngine> => {
      const engine = await createOnnxEngine({ model: tinyModel(LABELS, { shares: true }), threads: 1 });
      const infer: InferenceEngine['infer'] = (clip, options) => {
        if (clip.stream) seen.set(clip.stream.id, 'open');
        return engine.infer(clip, options);
      };
      return {
        info: engine.info,
        infer,
        inferBatch: (batch) => batch.map(({ clip, ...options }) => infer(clip, options)),
        closeStream(id) {
          seen.set(id, 'closed');
          engine.closeStream?.(id);
        },
        [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
      };
    };

    const normal = await run({ data }, LABELS, openEngine);
    const streams = [...seen];
    seen.clear();
    const reversed = await run({ data, order: 'reversed' }, LABELS, openEngine);

    expect(streams).toEqual([
      ['long.mp4@1', 'closed'],
      ['long.mp4@2.5', 'closed'],
    ]);
    expect(normal.report.compute!.reused_multiply_adds).toBeGreaterThan(0);
    expect(normal.notes).toEqual([]);
    // The same windows, each by itself.
    expect(reversed.report.compute).toMatchObject({
      inferences: normal.report.compute!.inferences,
      reused_multiply_adds: 0,
    });
    expect([...seen.values()]).not.toContain('open');
    expect(reversed.notes).toEqual([
      'overlapping windows reuse no steps: the frames of each are reversed, last first',
    ]);
  });

  test('a data set is judged as another one that is named, and measured for its cost where it is asked for', async () => {
    const data = await manifest(
      'site,forwards.mkv,fight,,,',
      'site,backwards.mkv,no_fight,,,',
      'cctv,long.mp4,street,,,',
    );

    const { report } = await run({ data, tasks: { site: 'fight-surv' }, datasets: ['site', 'cctv'] });

    expect(report.datasets).toMatchObject({
      site: { task: 'detection', n: 2 },
      cctv: { task: 'cost', videos: 1, compute: { input_steps: 4 } },
    });
  });

  test('people read tables', async () => {
    const data = await manifest(
      'fight-surv,forwards.mkv,fight,,,',
      'fight-surv,backwards.mkv,no_fight,,,',
      'fir-action,long.mp4,falling,1,2,',
      'ut-interaction,forwards.mkv,hug,,,',
    );
    const { report } = await run({ data });
    const stream = new PassThrough();

    printEvaluation(stream, report);
    stream.end();

    const tables = await text(stream);
    expect(tables).toMatch(/^DATA SET +FIGURE +VALUE +95 % INTERVAL$/m);
    expect(tables).toMatch(/^fight-surv +clips +2, 1 positive$/m);
    expect(tables).toMatch(/^fir-action +videos +1, 0.00 h$/m);
    expect(tables).toMatch(/^ +false alarms an hour +\d/m);
    expect(tables).toMatch(/^ut-interaction: TRUE \\ CHOSEN +\w/m);
    expect(tables).toMatch(/^all +\d+ +[\d.]+ of 4 /m);
  });

  test.each([
    [{ split: 'train' }, 'INPUT_INVALID', 'no clip of split "train"; it has test'],
    [{ datasets: ['fight'] }, 'USAGE', 'no data set "fight" here; there are fight-surv'],
    [{ tasks: { 'fight-surv': 'brawl' } }, 'USAGE', 'no task "brawl"; there are fight-surv, ut-interaction'],
    [{ predictions: '/nowhere/file' }, 'USAGE', '--predictions /nowhere/file: cannot be written'],
  ] as const)('%j is refused', async (given, code, message) => {
    const data = await manifest('fight-surv,forwards.mkv,fight,,,test');

    await expect(run({ data, ...given })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });

  test('a model that knows none of the labels is told from one that is wrong', async () => {
    const data = await manifest('fight-surv,forwards.mkv,fight,,,', 'ut-interaction,forwards.mkv,hug,,,');

    await expect(run({ data }, PUBLIC_LABELS)).rejects.toThrow(
      'nothing to evaluate\nfight-surv: 1 clips left out: untrained-s3d-g has none of its labels',
    );
  });
});

describe('official lists', () => {
  const lists = {
    kinetics: {
      list: 'validate.csv',
      content:
        'label,youtube_id,time_start,time_end,split\nabseiling,aaaaaaaaaa1,0,10,val\nzumba,aaaaaaaaaa2,5,15,val\n',
      videos: ['val/abseiling/aaaaaaaaaa1_000000_000010.mkv', 'val/zumba/aaaaaaaaaa2_000005_000015.mkv'],
    },
    ssv2: {
      list: 'something-something-v2-validation.json',
      content: JSON.stringify(['1', '2'].map((id) => ({ id, template: 'Holding [something]' }))),
      videos: ['20bn-something-something-v2/1.mkv', '20bn-something-something-v2/2.mkv'],
    },
    ucf101: {
      list: 'testlist01.txt',
      content: 'Archery/v_Archery_g01_c01.avi\nArchery/v_Archery_g02_c01.avi\n',
      videos: ['UCF-101/Archery/v_Archery_g01_c01.mkv', 'UCF-101/Archery/v_Archery_g02_c01.mkv'],
    },
    hmdb51: {
      list: 'wave_test_split1.txt',
      content: 'a.avi 2\nb.avi 2\ngone.avi 2\n',
      videos: ['wave/a.mkv', 'wave/b.mkv'],
    },
  } as const;

  test.each(Object.entries(lists))('%s: top-1 of its clips', async (format, { list, content, videos }) => {
    for (const [index, video] of videos.entries()) {
      await mkdir(path.dirname(at(format, video)), { recursive: true });
      await copyFile(at('clips', index === 0 ? 'forwards.mkv' : 'backwards.mkv'), at(format, video));
    }
    await writeFile(at(format, list), content);

    const { report, lines, notes } = await run(
      { data: at(format, list), format: format as keyof typeof lists },
      PUBLIC_LABELS,
    );

    expect(report.datasets[format]).toMatchObject({ task: 'classification', n: 2, choices: 5, videos: 2 });
    expect(lines.map((line) => line.path)).toEqual(videos);
    expect(notes).toEqual(
      format === 'hmdb51' ? ['1 videos of the list are not there, e.g. wave/gone.avi'] : [],
    );
  });
});
