import type { CheckpointFormat } from './format.ts';
import { SEQUENCE } from './torchvision.ts';
import { MINUS_ONE_TO_ONE, PAPER_SCALE, type Unit } from './unit.ts';

/** github.com/kylemin/S3D: halves of a separable convolution are `conv_s` and `conv_t`. */
export const kyleminS3d: CheckpointFormat = {
  name: 'kylemin-s3d',
  source: 'github.com/kylemin/S3D',
  anchors: ['base.0.conv_s.weight', 'base.15.branch3.1.conv.weight', 'fc.0.weight'],
  network: () => ({
    variant: 's3d',
    frames: 64,
    height: 224,
    width: 224,
    input: MINUS_ONE_TO_ONE,
    padding: 'symmetric',
    batchNormEpsilon: 1e-3,
    pooling: 'space',
  }),
  unit(unit) {
    const block = `base.${SEQUENCE[unit.stage]}${sequentialBranch(unit)}`;
    const half = { whole: '', reduce: '', spatial: '_s', temporal: '_t' }[unit.role];
    return { conv: `${block}.conv${half}`, norm: `${block}.bn${half}` };
  },
  head: 'fc.0',
  labelled: true,
  fps: 25,
  picture: { fit: 'stretch', scale: PAPER_SCALE },
};

/** Branches as Sequentials of whole units; the pool of branch 3 comes first. */
export function sequentialBranch({ branch, role }: Unit): string {
  if (branch === undefined) return '';
  if (branch === 'b0') return '.branch0.0';
  if (branch === 'b3') return '.branch3.1';
  return `.branch${branch.slice(1)}.${role === 'reduce' ? '0' : '1'}`;
}
