import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ActionstreamError } from '../core/errors.ts';

/** Where each label map lies, and which of its lines belong to it. */
const LABEL_MAPS = {
  kinetics400: { file: 'kinetics.txt', edition: '4' },
  kinetics600: { file: 'kinetics.txt', edition: '6' },
  kinetics700: { file: 'kinetics.txt', edition: '7' },
  minikinetics200: { file: 'kinetics.txt', edition: 'm' },
  ucf101: { file: 'ucf101.txt' },
  hmdb51: { file: 'hmdb51.txt' },
  ssv2: { file: 'something-something-v2.txt' },
} as const satisfies Record<string, LabelFile>;

export type LabelMapName = keyof typeof LABEL_MAPS;

export const labelMapNames: readonly LabelMapName[] = Object.keys(LABEL_MAPS) as LabelMapName[];

/**
 * The labels of a public data set, by class index as published networks are trained: alphabetical
 * for Kinetics, HMDB51 and Something-Something V2, the order of `classInd.txt` for UCF101.
 * @throws ActionstreamError USAGE for an unknown name
 */
export function labelMap(name: string): readonly string[] {
  const remembered = cache.get(name);
  if (remembered) return remembered;
  if (!isLabelMapName(name)) {
    throw new ActionstreamError('USAGE', `no label map "${name}"; known: ${labelMapNames.join(', ')}`);
  }
  const labels = readLabels(LABEL_MAPS[name]);
  cache.set(name, labels);
  return labels;
}

/**
 * One label a line; after a tab, the editions that have it: `4`, `6`, `7` for
 * Kinetics-400, -600, -700, `m` for Mini-Kinetics-200.
 */
interface LabelFile {
  readonly file: string;
  readonly edition?: string;
}

/** Ships with the program. */
const LABELS = path.join(import.meta.dirname, '..', '..', 'labels');

const cache = new Map<string, readonly string[]>();

function isLabelMapName(name: string): name is LabelMapName {
  return Object.hasOwn(LABEL_MAPS, name);
}

function readLabels({ file, edition }: LabelFile): readonly string[] {
  return readFileSync(path.join(LABELS, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'))
    .flatMap(([label = '', editions = '']) =>
      edition === undefined || editions.includes(edition) ? [label] : [],
    );
}
