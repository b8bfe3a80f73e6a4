import type { CheckpointFormat } from './format.ts';
import { sequentialBranch } from './kylemin.ts';
import { PAPER_SCALE } from './unit.ts';

/**
 * The stages in the order of the Sequentials `block1` … `block5`, under which every tensor stands once more.
 */
const BLOCKS: Readonly<Record<string, string>> = {
  'block1.0': 'Conv_1a',
  'block2.1': 'Conv_2b',
  'block2.2': 'Conv_2c',
  'block3.1': 'Mixed_3b',
  'block3.2': 'Mixed_3c',
  'block4.1': 'Mixed_4b',
  'block4.2': 'Mixed_4c',
  'block4.3': 'Mixed_4d',
  'block4.4': 'Mixed_4e',
  'block4.5': 'Mixed_4f',
  'block5.1': 'Mixed_5b',
  'block5.2': 'Mixed_5c',
};

/**
 * github.com/TengdaHan/CoCLR, backbone S3D with or without gates: a network
 * without a head, so its features are the output.
 */
export const coclrS3dg: CheckpointFormat = {
  name: 'coclr-s3dg',
  source: 'github.com/TengdaHan/CoCLR',
  anchors: ['Conv_1a.conv1.weight', 'Mixed_5c.branch3.1.conv.weight'],
  network: (tensors) => ({
    variant: tensors.has('Mixed_3b.gating_b0.fc.weight') ? 's3d-g' : 's3d',
    frames: 32,
    height: 128,
    width: 128,
    input: { kind: 'rgb', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    padding: 'symmetric',
    batchNormEpsilon: 1e-5,
    gateConv2c: false,
    pooling: 'whole',
    classifier: false,
  }),
  unit(unit) {
    const block = `${unit.stage}${sequentialBranch(unit)}`;
    const half = { whole: '', reduce: '', spatial: '1', temporal: '2' }[unit.role];
    return { conv: `${block}.conv${half}`, norm: `${block}.bn${half}` };
  },
  gate: ({ stage, branch = '' }) => `${stage}.gating_${branch}.fc`,
  twin(name) {
    const [block, rest] = [/^block\d\.\d/.exec(name)?.[0] ?? '', name.replace(/^block\d\.\d/, '')];
    const stage = BLOCKS[block];
    return stage === undefined ? undefined : `${stage}${rest}`;
  },
  labelled: false,
  fps: 30,
  picture: { fit: 'crop', scale: PAPER_SCALE },
};
