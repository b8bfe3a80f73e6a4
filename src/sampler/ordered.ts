import { binOf, walkArc } from './arc-length.ts';
import { groupSteps, type Group } from './groups.ts';
import { planOf } from './plan.ts';
import type { Embeddings, OrderedOptions, SamplingPlan } from './types.ts';

/**
 * Ours: contiguous groups in time along the arc length in similarity space,
 *
 *     s_0 = 0,  s_t = s_{t−1} + ‖e_t − e_{t−1}‖,  bin b_t = ⌊s_t/δ⌋,  centre β_b = (b + ½)δ,
 *     k_t = 1 − |s_t − β_{b_t}|/δ,  w_t = k_t / Σ_{τ in the bin of t} k_τ.
 *
 * s never falls, so groups are contiguous and in order; b_t needs nothing after
 * t, so a plan may be made as steps come: only the last row can still change.
 * Empty bins are skipped: B' ≤ T. A static clip has s = 0 and gives its mean.
 *
 * Kernel. The half width is δ, twice that of the bin: the hat function of the grid of
 * centres, cut to its own bin. So k_t is 1 at the centre and ½ on an edge. With SGS's half
 * width δ/2 it would be 0 on an edge, which is where the first step (s = 0), a static clip
 * and the most distinctive step fall. With k in [½, 1], a step of a row of n keeps w_t ≥
 * ½/(½ + n − 1) > 1/(2n): at least half of its equal share, and exactly 1 where it is alone.
 *
 * Gradient, within bins (as with SGS, none flows through the choice of bin): ∂w_i/∂s_t =
 * −sign(s_t − β)/δ · ([i = t] − w_i)/Σk for i, t of one bin, else 0; ∂s_t/∂e_τ is the sum of
 * the unit vectors ±(e_τ − e_{τ∓1})/‖·‖ over the differences up to t in which e_τ stands.
 *
 * δ = 0 is the limit of narrow bins: a step joins the one before exactly where s does not grow.
 *
 * With representative `middle` a row is the middle step of its group alone.
 */
export function planOrdered(embeddings: Embeddings, options: OrderedOptions): SamplingPlan {
  const { arc } = walkArc(embeddings, options);
  const groups = groupSteps(arc, options);
  const groupOf = new Int32Array(arc.length);
  groups.forEach(([start, end], b) => groupOf.fill(b, start, end));
  const rows = groups.map((group) =>
    options.representative === 'middle' ? middleOf(arc.length, group) : rowOf(arc, group, options.width),
  );
  return planOf(rows, arc.length, { groupOf, counts: groups.map(([start, end]) => end - start) });
}

/** The middle step alone, the earlier one of two. */
function middleOf(length: number, [start, end]: Group): Float32Array {
  const row = new Float32Array(length);
  row[Math.floor((start + end - 1) / 2)] = 1;
  return row;
}

function rowOf(arc: Float64Array, [start, end]: Group, width: number): Float32Array {
  const row = new Float32Array(arc.length);
  const centre = (binOf(arc[start]!, width) + 0.5) * width;
  // The bound holds in exact arithmetic; stated, it also holds for a δ below what double precision resolves.
  const kernel = (t: number): number =>
    width === 0 ? 1 : Math.max(0.5, 1 - Math.abs(arc[t]! - centre) / width);
  let sum = 0;
  for (let t = start; t < end; t += 1) sum += kernel(t);
  for (let t = start; t < end; t += 1) row[t] = kernel(t) / sum;
  return row;
}
