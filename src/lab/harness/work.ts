import type { ComputeStats } from '../../core/compute.ts';
import type { Work } from '../evaluation/results.ts';

/** What figures need of a compute receipt. */
export function workOf({ lowerMs, samplerMs, upperMs, ...compute }: ComputeStats): Work {
  const { keptSteps, inputSteps, multiplyAdds, denseMultiplyAdds, reusedMultiplyAdds } = compute;
  const ms = lowerMs + samplerMs + upperMs;
  return { keptSteps, inputSteps, multiplyAdds, denseMultiplyAdds, reusedMultiplyAdds, ms };
}
