import type { Interval } from '../../core/wilson.ts';

/** The exact (Garwood) 95 % interval of a Poisson rate from `count` events in `exposure` > 0, e.g. hours. */
export function poissonInterval(count: number, exposure: number): Interval {
  const most = count + 10 * Math.sqrt(count + 1) + 10;
  const low = count === 0 ? 0 : bisect((mean) => poissonAtMost(count - 1, mean) > 0.975, most);
  return [low / exposure, bisect((mean) => poissonAtMost(count, mean) > 0.025, most) / exposure];
}

/** P(X ≤ count) for a Poisson variable of that mean. */
function poissonAtMost(count: number, mean: number): number {
  let [term, sum] = [-mean, 0];
  for (let k = 0; k <= count; k += 1) {
    if (k > 0) term += Math.log(mean) - Math.log(k);
    sum += Math.exp(term);
  }
  return sum;
}

/** The point in [0, most] where `below` turns from true to false. */
function bisect(below: (x: number) => boolean, most: number): number {
  let [low, high] = [0, most];
  for (let round = 0; round < 60; round += 1) {
    const middle = (low + high) / 2;
    if (below(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
