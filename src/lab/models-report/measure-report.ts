import { availableParallelism, cpus } from 'node:os';
import { version as nodeVersion } from 'node:process';
import { buildNetwork } from '../../inference/network/build.ts';
import { countCost } from '../../inference/network/cost.ts';
import type { Network, NetworkOptions } from '../../inference/network/graph.ts';
import { median } from '../../core/median.ts';
import type { Report, ReportCase, ReportRequest, ReportRow, Visit } from './types.ts';
import { visitNetwork } from './visit-network.ts';

/** Clips of a visit: enough for a median. */
const CLIPS = 3;

export interface ReportObserver {
  visited(done: number, of: number, name: string): void;
}

export interface MeasureContext {
  /** The measuring program, visit-entry.js. */
  readonly entryUrl: URL;
  readonly signal: AbortSignal;
}

/**
 * Parameters and multiply-adds by the cost model; time, memory and stages measured, one network at a time
 * in a process of its own. Rounds go through all networks, so that a busy moment of the machine does not
 * fall on one of them.
 * @throws ActionstreamError NETWORK_UNKNOWN, ENGINE_FAILED, ABORTED
 */
export async function measureReport(
  request: ReportRequest,
  observer: ReportObserver,
  { entryUrl, signal }: MeasureContext,
): Promise<Report> {
  const { cases, threads, rounds } = request;
  const planned = cases.map((one) => ({ ...planOf(one, request.network), visits: [] as Visit[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, { network, stride, visits }] of planned.entries()) {
      const profile = stride === undefined && round === rounds - 1;
      const asked = {
        network: network.options,
        threads,
        clips: CLIPS,
        profile,
        ...(stride !== undefined && { stride }),
      };
      visits.push(await visitNetwork(asked, entryUrl, signal));
      observer.visited(round * cases.length + index + 1, rounds * cases.length, network.name);
    }
  }
  const { frames, height, width, widthMultiplier, classes } = buildNetwork(request.network).options;
  return {
    network: { frames, height, width, widthMultiplier, classes },
    threads,
    rounds,
    machine: `${cpus()[0]?.model.trim() ?? 'CPU'} × ${availableParallelism()}, Node ${nodeVersion}`,
    rows: planned.map(rowOf),
  };
}

interface Planned {
  readonly case: ReportCase;
  readonly network: Network;
  readonly stride?: number;
  readonly keptSteps?: number;
}

/**
 * Kept steps come from a uniform stride, because content does not matter for time. The result is the
 * nearest count that a stride reaches.
 */
function planOf(one: ReportCase, common: Partial<NetworkOptions>): Planned {
  const { variant, sgs } = one;
  if (!sgs) return { case: one, network: buildNetwork({ ...common, variant }) };
  const network = buildNetwork({
    ...common,
    variant,
    sgs: { after: sgs.after, embedding: { kind: 'pooled', grid: 4 }, boundary: 'nearest_complete' },
  });
  const { inputSteps } = countCost(network);
  const strides = Array.from({ length: inputSteps }, (_, i) => i + 1);
  const distance = (stride: number): number => Math.abs(Math.ceil(inputSteps / stride) - sgs.keptSteps);
  const stride = strides.reduce((best, next) => (distance(next) < distance(best) ? next : best));
  return { case: one, network, stride, keptSteps: Math.ceil(inputSteps / stride) };
}

function rowOf({
  case: one,
  network,
  keptSteps,
  visits,
}: Planned & { readonly visits: readonly Visit[] }): ReportRow {
  const cost = countCost(network, keptSteps === undefined ? {} : { keptSteps });
  const times = visits.map((visit) => visit.ms);
  const stages = visits.at(-1)?.stages;
  const multiplyAddsOf = new Map(cost.layers.map((layer) => [layer.name, layer.multiplyAdds]));
  return {
    ...one,
    parameters: cost.parameters,
    multiplyAdds: cost.multiplyAdds,
    ...(keptSteps !== undefined && { keptSteps }),
    ms: median(times),
    msFrom: Math.min(...times),
    msTo: Math.max(...times),
    peakMiB: Math.max(...visits.map((visit) => visit.peakMiB)),
    ...(stages && {
      stages: stages.map(({ stage, ms }) => ({ stage, ms, multiplyAdds: multiplyAddsOf.get(stage) ?? 0 })),
    }),
  };
}
