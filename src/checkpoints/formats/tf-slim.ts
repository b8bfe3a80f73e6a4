import type { NetworkOptions } from '../../inference/network/graph.ts';
import { TEMPORAL_STAGES } from '../../inference/network/stages.ts';
import type { CheckpointTensor } from '../checkpoint.ts';
import type { CheckpointFormat, FormatNetwork } from './format.ts';
import { MINUS_ONE_TO_ONE, PAPER_SCALE, unitOf, type Unit } from './unit.ts';

/**
 * github.com/tensorflow/models, research/slim/nets/s3dg.py, its variables saved by name with
 * numpy.savez: the authors' code of S3D-G. Batch norms without γ; temporal convolutions with a
 * bias and no batch norm, ReLU after both; gates without bias; a dense stem of 1, 3, 5 or 7 steps.
 */
export const tfSlimS3dg: CheckpointFormat = {
  name: 'tf-slim-s3dg',
  source: 'github.com/tensorflow/models (research/slim s3dg)',
  anchors: [
    'Conv2d_1a_7x7/weights',
    'Mixed_5c/Branch_3/Conv2d_0b_1x1/weights',
    'Logits/Conv2d_0c_1x1/weights',
  ],
  network: (tensors) => ({
    ...formOf(tensors),
    frames: 64,
    height: 224,
    width: 224,
    input: MINUS_ONE_TO_ONE,
    padding: 'same',
    batchNormEpsilon: 1e-3,
    gateBias: false,
    pooling: 'window',
  }),
  unit(unit) {
    const scope = scopeOf(unit);
    return unit.role === 'temporal'
      ? { conv: `${scope}/temporal` }
      : { conv: scope, norm: `${scope}/BatchNorm` };
  },
  gate: (unit) => `${scopeOf(unit)}/self_gating/transformer_W`,
  head: 'Logits/Conv2d_0c_1x1',
  leaves: {
    weight: '/weights',
    bias: '/biases',
    shift: '/beta',
    mean: '/moving_mean',
    variance: '/moving_variance',
    channelsLast: true,
  },
  leftOut: (name) =>
    /\/(Momentum|Adam(_1)?|RMSProp(_1)?|ExponentialMovingAverage)$/.test(name)
      ? 'belongs to the training'
      : undefined,
  labelled: true,
  fps: 25,
  picture: { fit: 'stretch', scale: PAPER_SCALE },
};

const STEMS: Readonly<Record<number, NetworkOptions['stem']>> = {
  1: 'flat',
  3: 'dense',
  5: 'dense_5',
  7: 'dense_7',
};

/**
 * The code lets gates and temporal convolutions begin at any layer. With gates it is
 * S3D-G, and misses tensors where they begin later than at Conv_2c; without gates and
 * with a flat stem, temporal convolutions from a later layer on are Top-heavy-S3D.
 */
function formOf(tensors: ReadonlyMap<string, CheckpointTensor>): Pick<FormatNetwork, 'variant' | 'stem'> {
  const steps = tensors.get('Conv2d_1a_7x7/weights')?.shape[0] ?? 3;
  const stem = STEMS[steps] ?? 'dense';
  if ([...tensors.keys()].some((name) => name.includes('/self_gating/'))) return { variant: 's3d-g', stem };
  const first = TEMPORAL_STAGES.find((stage) =>
    tensors.has(`${scopeOf(temporalUnit(stage))}/temporal/weights`),
  );
  if (first === undefined) return { variant: 'i2d', stem };
  return { variant: first === 'Conv_2c' ? 's3d' : `top-heavy-s3d:${first}`, stem };
}

function temporalUnit(stage: string): Unit {
  return unitOf(stage.startsWith('Mixed') ? `${stage}.b1.temporal` : `${stage}.temporal`);
}

const SINGLE: Readonly<Record<string, string>> = {
  Conv_1a: 'Conv2d_1a_7x7',
  Conv_2b: 'Conv2d_2b_1x1',
  Conv_2c: 'Conv2d_2c_3x3',
};

/** Of a convolution, of the two halves of a separable one, and of the gate behind them. */
function scopeOf({ stage, branch, role }: Unit): string {
  if (branch === undefined) return SINGLE[stage] ?? stage;
  return `${stage}/Branch_${branch.slice(1)}/Conv2d_${leafOf(branch, role)}`;
}

function leafOf(branch: NonNullable<Unit['branch']>, role: Unit['role']): string {
  if (branch === 'b0' || role === 'reduce') return '0a_1x1';
  return branch === 'b3' ? '0b_1x1' : '0b_3x3';
}
