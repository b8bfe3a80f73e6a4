import type { NetworkOptions, SgsOptions } from '../../src/inference/network/graph.ts';
import type { SamplerOptions } from '../../src/sampler/index.ts';

/** One way to compute few steps: the network above the cut, how steps are compared, and which are kept. */
export interface AblationCase {
  readonly name: string;
  readonly network: 'zeros' | 'edges';
  readonly similarity: 'global' | 'grid';
  readonly sampler: SamplerOptions;
}

const AFTER = { after: 'Conv_2b', boundary: 'nearest_complete' } as const;

/** Networks of the cases by their names; weights are the model's own under all. */
export const NETWORKS: Readonly<
  Record<AblationCase['network'], Pick<NetworkOptions, 'temporalEdge' | 'timeMeans'>>
> = {
  zeros: { temporalEdge: 'zero', timeMeans: 'plain' },
  edges: { temporalEdge: 'edge', timeMeans: 'multiplicity' },
};

/** `global`: the model's own embedding where it has one. */
export const SIMILARITIES: Readonly<Record<AblationCase['similarity'], SgsOptions>> = {
  global: { ...AFTER, embedding: { kind: 'pooled', grid: 1 } },
  grid: { ...AFTER, embedding: { kind: 'cells', grid: 7, top: 1 } },
};

export interface CaseOptions {
  /** δ of each way to compare steps. */
  readonly widths: Readonly<Record<AblationCase['similarity'], readonly number[]>>;
  /** Floors of kept steps; 1 is none. */
  readonly minSteps: readonly number[];
}

/** Every case at each δ and floor, and what it is measured against: the dense network and even strides. */
export function casesOf(options: CaseOptions): readonly AblationCase[] {
  const networks = ['zeros', 'edges'] as const;
  return networks.flatMap((network) => [...baselines(network), ...sampled(network, options)]);
}

function baselines(network: AblationCase['network']): readonly AblationCase[] {
  const shared = { network, similarity: 'grid' } as const;
  return [
    { ...shared, name: 'dense', sampler: { kind: 'none' } },
    ...[2, 3, 4].map((stride) => ({
      ...shared,
      name: `uniform ${stride}`,
      sampler: { kind: 'uniform', stride } as const,
    })),
  ];
}

function sampled(
  network: AblationCase['network'],
  { widths, minSteps }: CaseOptions,
): readonly AblationCase[] {
  return (['global', 'grid'] as const).flatMap((similarity) =>
    (['mean', 'middle'] as const).flatMap((representative) =>
      minSteps.flatMap((least) =>
        widths[similarity].map((width) => ({
          name: `${similarity}, ${representative}${least > 1 ? `, at least ${least}` : ''}, δ ${width}`,
          network,
          similarity,
          sampler: {
            ...{ kind: 'ordered', width, distance: 'l2', representative },
            ...(least > 1 && { minSteps: least }),
          } as const,
        })),
      ),
    ),
  );
}
