import type { CheckpointFormat } from './format.ts';
import type { Unit } from './unit.ts';

/**
 * github.com/antoine77340/S3D_HowTo100M: symmetric convolutions but pools padded as
 * TensorFlow does, gates with bias, and a linear layer into the space that it
 * shares with text. Its frames are square and go in as they are, between 0 and 1.
 */
export const milnceS3d: CheckpointFormat = {
  name: 'milnce-s3d',
  source: 'github.com/antoine77340/S3D_HowTo100M',
  anchors: ['conv1.conv1.weight', 'mixed_5c.conv_b3_b.conv1.weight', 'fc.weight'],
  network: (tensors) => ({
    variant: 's3d-g',
    frames: 32,
    height: 224,
    width: 224,
    input: { kind: 'rgb', mean: [0, 0, 0], std: [1, 1, 1] },
    padding: 'symmetric',
    poolPadding: 'same_even',
    batchNormEpsilon: 1e-5,
    stem: tensors.get('conv1.conv1.weight')?.shape[1] === 24 ? 'space_to_depth' : 'dense',
    pooling: 'whole',
  }),
  problemOf: ({ stem, frames, height, width }) =>
    stem === 'space_to_depth' && [frames, height, width].some((n) => n % 2 !== 0)
      ? `blocks of 2×2×2 pixels, so even sizes, not ${frames} frames of ${height}×${width}`
      : undefined,
  unit(unit) {
    const half = unit.role === 'temporal' ? '2' : '1';
    const block = blockOf(unit);
    return { conv: `${block}.conv${half}`, norm: `${block}.bn${half}` };
  },
  gate: ({ stage, branch }) =>
    branch === undefined ? 'gating.fc' : `${stage.toLowerCase()}.gating_${branch}.fc`,
  head: 'fc',
  leftOut: (name) =>
    name.startsWith('text_module.') ? 'embeds sentences, which this program does not take' : undefined,
  labelled: false,
  fps: 10,
  picture: { fit: 'crop', scale: 1 },
};

function blockOf({ stage, branch, role }: Unit): string {
  if (stage === 'Conv_1a') return 'conv1';
  const block = stage.toLowerCase();
  if (branch === undefined) return block;
  if (branch === 'b0') return `${block}.conv_b0`;
  return `${block}.conv_${branch}_${role === 'reduce' ? 'a' : 'b'}`;
}
