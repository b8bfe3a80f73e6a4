import {
  createBudgetController,
  type BudgetTargets,
} from '../../../src/pipeline/budget/budget-controller.ts';
import { createLoadWindow } from '../../../src/pipeline/budget/load-window.ts';

export interface Machine {
  readonly streams: number;
  readonly strideMs: number;
  readonly queueClips: number;
  /** Cost of a clip: `lowerMs` plus `stepMs` a kept step; multiply-adds are counted in the same unit. */
  readonly lowerMs: number;
  readonly stepMs: number;
  readonly engines: number;
}

export interface Run {
  readonly dropped: number;
  readonly scaleAtFirstDrop: number | undefined;
  readonly changes: readonly number[];
  scaleAt(s: number): number;
  /** Cost a second over an interval of seconds. */
  meanCost(from: number, to: number): number;
}

const STEP_MS = 5;

/**
 * The live streams of a run in time that passes at once; `stepsAt` is what δ as
 * configured would keep, ± 30 % by stream.
 */
export function simulate(
  machine: Machine,
  targets: BudgetTargets,
  stepsAt: (s: number) => number,
  seconds: number,
): Run {
  const controller = createBudgetController(targets);
  const window = createLoadWindow(machine.engines);
  const queues = Array.from({ length: machine.streams }, (): number[] => []);
  const inWork = new Set<number>();
  const noClip = (): void => undefined;
  const engines = Array.from({ length: machine.engines }, () => ({ freeAtMs: 0, done: noClip }));
  const scales: number[] = [];
  const costs = Array<number>(seconds).fill(0);
  const changes: number[] = [];
  let dropped = 0;
  let scaleAtFirstDrop: number | undefined;
  let next = 0;

  for (let ms = 0; ms < seconds * 1000; ms += STEP_MS) {
    queues.forEach((queue, id) => {
      const offset = STEP_MS * Math.floor((id * machine.strideMs) / machine.streams / STEP_MS);
      if ((ms + offset) % machine.strideMs !== 0) return;
      queue.push(ms);
      if (queue.length <= machine.queueClips) return;
      queue.shift();
      dropped += 1;
      scaleAtFirstDrop ??= controller.deltaScale;
    });
    for (const engine of engines) {
      if (engine.freeAtMs > ms) continue;
      engine.done();
      engine.done = noClip;
      const id = queues
        .map((_, i) => (next + i) % machine.streams)
        .find((i) => queues[i]!.length > 0 && !inWork.has(i));
      if (id === undefined) continue;
      next = id + 1;
      const arrivedAtMs = queues[id]!.shift()!;
      const keptSteps = Math.max(
        1,
        Math.ceil(((0.7 + (0.6 * id) / machine.streams) * stepsAt(ms / 1000)) / controller.deltaScale),
      );
      const costMs = machine.lowerMs + machine.stepMs * keptSteps;
      inWork.add(id);
      engine.freeAtMs = ms + costMs;
      engine.done = () => {
        inWork.delete(id);
        const endMs = engine.freeAtMs;
        const compute = { multiplyAdds: costMs, lowerMs: costMs, samplerMs: 0, upperMs: 0 };
        window.add({ compute, latencyMs: endMs - arrivedAtMs }, endMs);
        const second = Math.min(seconds - 1, Math.floor(endMs / 1000));
        costs[second]! += costMs;
      };
    }
    if (ms % 250 === 0) {
      const before = controller.deltaScale;
      const backlog = Math.max(...queues.map((queue) => queue.length / machine.queueClips));
      if (controller.observe({ ...window.read(ms), backlog }, ms) !== before) {
        window.resetLatencies();
        changes.push(ms / 1000);
      }
      scales.push(controller.deltaScale);
    }
  }
  return {
    dropped,
    scaleAtFirstDrop,
    changes,
    scaleAt: (s) => scales[s * 4] ?? NaN,
    meanCost: (from, to) => costs.slice(from, to).reduce((sum, cost) => sum + cost, 0) / (to - from),
  };
}
