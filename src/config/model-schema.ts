import { choice, flag, section, text, upTo, wholeBetween } from '../settings/fields.ts';
import { asFlag } from '../settings/flags.ts';

/** Settings of random weights; a trained model brings its own. */
export const untrainedShape = {
  seed: asFlag(
    wholeBetween([0, 2 ** 31 - 1], '`network` only: seed of the random weights. Default 0.'),
    '--seed <n>',
  ).optional(),
  classes: asFlag(
    wholeBetween([1, 100_000], '`network` only: number of classes.'),
    '--classes <K>',
  ).optional(),
  width: asFlag(upTo(4, '`network` only: width multiplier of all channels.'), '--width <A>').optional(),
  padding: asFlag(
    choice(['symmetric', 'same'], '`network` only: padding of convolutions and pools.'),
    '--padding <mode>',
  ).optional(),
  stem: asFlag(
    choice(['separable', 'dense'], '`network` only: form of the first convolution.'),
    '--stem <form>',
  ).optional(),
  input: asFlag(
    choice(['rgb', 'motion'], '`network` only: what the first convolution sees.'),
    '--input <encoding>',
  ).optional(),
  gate_bias: asFlag(
    flag('`network` only: self-gating with bias. false: self-gating without bias, as TF-slim.'),
    '--no-gate-bias',
  ).optional(),
};

export const modelSchema = section(
  {
    path: text(
      'A trained model: its folder, `manifest.json`, `.safetensors` file, or the name of a shipped one. Default: `s3d-g-atfr`.',
    ).optional(),
    network: text(
      'Instead of `path`: a network of the S3D family with random weights, such as `s3d-g`. Its labels mean nothing.',
    ).optional(),
    frames: asFlag(
      wholeBetween([1, 1024], "Frames a clip. Default: the model's own."),
      '--frames <T>',
    ).optional(),
    size: asFlag(
      wholeBetween([1, 2048], "Height and width of the input in pixels. Default: the model's own."),
      '--size <N>',
    ).optional(),
    ...untrainedShape,
  },
  'The network and its weights: `path` or `network`.',
);
