import { ActionstreamError } from '../../core/errors.ts';
import { packagedNames } from './packages.ts';

/**
 * A checkpoint that its publisher offers for download, at an address read in
 * the publisher's own code or documentation.
 */
export interface PublishedCheckpoint {
  readonly name: string;
  readonly url: string;
  readonly format: string;
  /** A label map of the program; absent where the output is an embedding. */
  readonly labels?: string;
}

const PUBLISHED: readonly PublishedCheckpoint[] = [
  {
    name: 'torchvision-s3d',
    url: 'https://download.pytorch.org/models/s3d-d76dad2f.pth',
    format: 'torchvision-s3d',
    labels: 'kinetics400',
  },
  {
    name: 'milnce-s3d',
    url: 'https://www.rocq.inria.fr/cluster-willow/amiech/howto100m/s3d_howto100m.pth',
    format: 'milnce-s3d',
  },
];

const publishedNames: readonly string[] = PUBLISHED.map(({ name }) => name);

/** @throws ActionstreamError USAGE naming the known ones */
export function findPublished(name: string): PublishedCheckpoint {
  const found = PUBLISHED.find((checkpoint) => checkpoint.name === name);
  if (found) return found;
  throw new ActionstreamError(
    'USAGE',
    `no published checkpoint "${name}"; known: ${[...publishedNames, ...packagedNames].join(', ')}; others: fetch the file and use models import`,
  );
}

/**
 * The beginning of the SHA-256 that a file name carries, as PyTorch's do
 * (`s3d-d76dad2f.pth`); undefined where it has none.
 */
export function checksumInName(url: string): string | undefined {
  const file = new URL(url).pathname.split('/').at(-1) ?? '';
  return /-([0-9a-f]{8,64})\.\w+$/.exec(file)?.[1];
}
