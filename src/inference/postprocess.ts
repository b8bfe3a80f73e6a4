import type { ModelManifest } from './model.ts';

/** Outputs → scores in [0, 1], as the model's manifest says; an embedding stays as it is. */
export function scoresOf(logits: Float32Array, activation: ModelManifest['activation']): Float32Array {
  switch (activation) {
    case 'softmax':
      return softmax(logits);
    case 'sigmoid':
      return logits.map(sigmoid);
    case 'none':
      return logits.slice();
  }
}

/** Sums to one; safe for logits of any size. */
function softmax(logits: Float32Array): Float32Array {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return Float32Array.from(exponentials, (value) => value / sum);
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
