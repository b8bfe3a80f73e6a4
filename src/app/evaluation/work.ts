import type { ComputeStats } from '../../core/compute.ts';
import type { Work } from '../../evaluation/results.ts';

/** What figures need of a compute receipt. */
export function workOf(compute: ComputeStats): Work {
  const { keptSteps, inputSteps, multiplyAdds, denseMultiplyAdds, lowerMs, samplerMs, upperMs } = compute;
  return { keptSteps, inputSteps, multiplyAdds, denseMultiplyAdds, ms: lowerMs + samplerMs + upperMs };
}
