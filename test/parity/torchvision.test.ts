import { expect, it } from 'vitest';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import { goldenClip, goldenModel } from '../support/golden-weights.ts';
import { torchvisionGolden } from '../support/torchvision-golden.ts';

// At real width and size, where the reference engine takes minutes; it agrees
// with ONNX on every small network.
it("the ONNX engine gives the logits of torchvision's own S3D, 16 × 224², all 8.3 M weights random", async () => {
  const { seed, gamma, logits, ...size } = torchvisionGolden();
  const model = goldenModel({ network: { ...size, variant: 's3d', classes: logits.length }, seed, gamma });
  await using engine = await createOnnxEngine({ model, threads: 1 });

  const result = await engine.infer(goldenClip(seed, size), { sampler: { kind: 'none' } });

  const worst = Math.max(...logits.map((logit, k) => Math.abs(logit - result.logits[k]!)));
  expect(result.logits).toHaveLength(logits.length);
  expect(worst).toBeLessThanOrEqual(1e-4);
});
