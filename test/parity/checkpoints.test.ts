import { describe, expect, it } from 'vitest';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import type { InferenceEngine } from '../../src/inference/engine.ts';
import type { Model } from '../../src/inference/model.ts';
import { checkpointGoldens, importGolden, modelOf } from '../support/checkpoint-goldens.ts';
import { goldenClip } from '../support/golden-weights.ts';
import { createReferenceEngine } from '../support/own-engines.ts';

const ENGINES: Readonly<Record<string, (model: Model) => InferenceEngine | Promise<InferenceEngine>>> = {
  reference: createReferenceEngine,
  onnx: (model) => createOnnxEngine({ model, threads: 1 }),
};

describe.each(Object.entries(ENGINES))('imported, on %s', (_, createEngine) => {
  it.each(checkpointGoldens)(
    '$file, $frames × $height × $width, gives the outputs of an independent build',
    async (golden) => {
      await using engine = await createEngine(modelOf(importGolden(golden)));

      const { logits } = await engine.infer(goldenClip(golden.seed, golden), { sampler: { kind: 'none' } });

      const largest = Math.max(...golden.outputs.map(Math.abs), 1);
      const worst = Math.max(...golden.outputs.map((output, k) => Math.abs(output - logits[k]!)));
      expect(logits).toHaveLength(golden.outputs.length);
      // A network whose outputs are all alike would pass whatever the importer did.
      expect(Math.max(...golden.outputs) - Math.min(...golden.outputs)).toBeGreaterThan(0.1);
      expect(worst / largest).toBeLessThanOrEqual(1e-4);
    },
  );
});
