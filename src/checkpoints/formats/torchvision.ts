import { DEFAULT_NETWORK_OPTIONS } from '../../inference/network/build.ts';
import type { CheckpointFormat } from './format.ts';
import { PAPER_SCALE, type Unit } from './unit.ts';

/** Position of each stage in torchvision's and kylemin's Sequential; pools stand between. */
export const SEQUENCE: Readonly<Record<string, number>> = {
  Conv_1a: 0,
  Conv_2b: 2,
  Conv_2c: 3,
  Mixed_3b: 5,
  Mixed_3c: 6,
  Mixed_4b: 8,
  Mixed_4c: 9,
  Mixed_4d: 10,
  Mixed_4e: 11,
  Mixed_4f: 12,
  Mixed_5b: 14,
  Mixed_5c: 15,
};

/** torchvision.models.video.s3d: every convolution is a Sequential of convolution, norm, activation. */
export const torchvisionS3d: CheckpointFormat = {
  name: 'torchvision-s3d',
  source: 'torchvision (models.video.s3d)',
  anchors: ['features.0.0.0.weight', 'features.15.branch3.1.0.weight', 'classifier.1.weight'],
  network: () => ({
    variant: 's3d',
    frames: 64,
    height: 224,
    width: 224,
    input: DEFAULT_NETWORK_OPTIONS.input,
    padding: 'symmetric',
    batchNormEpsilon: 1e-3,
    pooling: 'window',
  }),
  unit(unit) {
    const block = `features.${SEQUENCE[unit.stage]}${branchPath(unit)}`;
    return { conv: `${block}.0`, norm: `${block}.1` };
  },
  head: 'classifier.1',
  labelled: true,
  fps: 15,
  picture: { fit: 'stretch', scale: PAPER_SCALE },
};

function branchPath({ branch, role }: Unit): string {
  const half = { whole: '', reduce: '', spatial: '.0', temporal: '.1' }[role];
  if (branch === undefined) return half;
  if (branch === 'b0') return '.branch0';
  if (branch === 'b3') return '.branch3.1';
  return `.branch${branch.slice(1)}.${role === 'reduce' ? '0' : '1'}${half}`;
}
