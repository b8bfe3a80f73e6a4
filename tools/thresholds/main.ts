import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { choose, type Choice } from './choose.ts';
import { describeAgreements } from './choose-delta.ts';

/*
 * `npx tsx tools/thresholds/main.ts models/NAME` chooses δ and thresholds on the training split
 * (training/README.md), prints what each candidate gave, and writes thresholds.json for training/export.py.
 */
const USAGE = `npx tsx tools/thresholds/main.ts MODEL_FOLDER [options]
  --data FILE       manifest.csv (../shared/data/manifest.csv)   --split S   never the one you report on (shared-train)
  --deltas A,B,…    candidates (0.6,0.8,1,1.2,1.4,1.6,1.8,2)      --share P   of dense decisions to be kept (0.98)
  --scenes A,B,…    seeds of scenes that count beside the long videos, where their data set is fir-action (none)
  --out DIR         thresholds.json, and predictions that a second run goes on from (.cache/thresholds)
  --threads N       of the engine`;

const ROOT = path.join(import.meta.dirname, '..', '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: path.join(ROOT, '../shared/data/manifest.csv') },
    split: { type: 'string', default: 'shared-train' },
    deltas: { type: 'string', default: '0.6,0.8,1,1.2,1.4,1.6,1.8,2' },
    share: { type: 'string', default: '0.98' },
    scenes: { type: 'string', default: '' },
    out: { type: 'string', default: path.join(ROOT, '.cache/thresholds') },
    threads: { type: 'string' },
  },
});
const [model, ...rest] = positionals;
const deltas = values.deltas.split(',').map(Number);
const [share, threads] = [Number(values.share), Number(values.threads ?? 1)];
const sceneSeeds = values.scenes === '' ? [] : values.scenes.split(',').map(Number);
const positive = [...deltas, ...sceneSeeds, share, threads].every((value) => value > 0);
if (model === undefined || rest.length > 0 || !positive) throw new Error(`usage: ${USAGE}`);

const { data, split, out } = values;
const options = { model, data, split, deltas, share, sceneSeeds, out };
const choice = await choose({ ...options, ...(values.threads !== undefined && { threads }) });
print(choice);
const file = path.join(out, 'thresholds.json');
await writeFile(file, `${JSON.stringify(choice.thresholds, null, 1)}\n`);
console.log(`\ntraining/export.py … --delta ${choice.delta} --thresholds ${file}`);

function print({ agreements, delta, tried, thresholds }: Choice): void {
  for (const tried of agreements) console.log(describeAgreements(...tried));
  console.log(`δ ${delta} it is\n`);
  for (const [label, candidates] of tried) {
    for (const { on, figures } of candidates) {
      const { detected, events, false_alarms, repeats, f1 = 0 } = figures;
      const chosen = thresholds[label]?.on === on ? '  <-' : '';
      console.log(
        `${label} from ${on}: ${detected} of ${events} found, ${false_alarms} false, ${repeats} repeated, F1 ${f1.toFixed(3)}${chosen}`,
      );
    }
  }
}
