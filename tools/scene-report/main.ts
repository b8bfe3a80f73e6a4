import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { demoScene, STORIES } from '../scene/ready-made.ts';
import { VIEWS } from '../scene/setting.ts';
import { writeSceneVideo } from '../scene/video.ts';
import { addUp, compareScene, meanErrors, type LabelComparison } from './compare.ts';
import { watchVideo } from './watch.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 's3d-g-atfr' },
    sampler: { type: 'string' },
    stories: { type: 'string', default: STORIES.join(',') },
    views: { type: 'string', default: VIEWS.join(',') },
    seeds: { type: 'string', default: '5,21,22,23' },
    out: { type: 'string', default: path.join(tmpdir(), 'scene-report') },
    json: { type: 'boolean', default: false },
  },
});

const chosen = <T extends string>(text: string, choices: readonly T[]): readonly T[] =>
  text.split(',').map((name) => {
    const found = choices.find((choice) => choice === name);
    if (found === undefined) throw new Error(`${name}: one of ${choices.join(', ')} expected`);
    return found;
  });
const stories = chosen(values.stories, STORIES);
const views = chosen(values.views, VIEWS);
const more = values.sampler === undefined ? [] : ['--sampler', values.sampler];

await mkdir(values.out, { recursive: true });
const byView = new Map<string, readonly LabelComparison[]>();
for (const story of stories) {
  for (const view of views) {
    const parts: LabelComparison[] = [];
    for (const seed of values.seeds.split(',').map(Number)) {
      const video = path.join(values.out, `${story}-${view}-${seed}.mp4`);
      const truth = await writeSceneVideo(demoScene({ story, view, seed, width: 160, height: 120 }), video);
      parts.push(...compareScene(truth, await watchVideo(video, { model: values.model, more })));
    }
    byView.set(`${story}, ${view}`, addUp(parts));
    if (!values.json) tell(`${story}, ${view}`, addUp(parts));
  }
}
const all = addUp([...byView.values()].flat());
if (values.json) console.log(JSON.stringify({ ...Object.fromEntries(byView), all }));
else tell('all', all);

function tell(title: string, parts: readonly LabelComparison[]): void {
  const rows = parts.map(({ label, actions, found, falseAlarms, repeats }) => {
    const { onsetS, offsetS } = meanErrors([{ label, actions, found, falseAlarms, repeats }]);
    return `| ${label} | ${found.length} of ${actions} | ${falseAlarms} | ${repeats} | ${seconds(onsetS)} | ${seconds(offsetS)} |`;
  });
  const { onsetS, offsetS } = meanErrors(parts);
  const head = [
    '| label | found | false | repeated | start off by | end off by |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  console.log(
    [
      `\n${title}: starts off by ${seconds(onsetS)}, ends by ${seconds(offsetS)} on the mean\n`,
      ...head,
      ...rows,
    ].join('\n'),
  );
}

function seconds(value: number): string {
  return Number.isNaN(value) ? '' : `${value.toFixed(2)} s`;
}
