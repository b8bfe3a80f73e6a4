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

/** Every case at each δ, and what it is measured against: the dense network and even strides. */
export function casesOf(
  widths: Readonly<Record<AblationCase['similarity'], readonly number[]>>,
): readonly AblationCase[] {
  const networks = ['zeros', 'edges'] as const;
  const baselines = networks.flatMap((network) => [
    { name: 'dense', network, similarity: 'grid', sampler: { kind: 'none' } } as const,
    ...[2, 3].map(
      (stride) =>
        ({
          name: `uniform ${stride}`,
          network,
          similarity: 'grid',
          sampler: { kind: 'uniform', stride },
        }) as const,
    ),
  ]);
  const sampled = networks.flatMap((network) =>
    (['global', 'grid'] as const).flatMap((similarity) =>
      (['mean', 'middle'] as const).flatMap((representative) =>
        widths[similarity].map(
          (width) =>
            ({
              name: `${similarity}, ${representative}, δ ${width}`,
              network,
              similarity,
              sampler: { kind: 'ordered', width, distance: 'l2', representative },
            }) as const,
        ),
      ),
    ),
  );
  return [...baselines, ...sampled];
}
