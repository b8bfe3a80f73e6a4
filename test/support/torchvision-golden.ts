import { readFileSync } from 'node:fs';

/** As tools/goldens/make_torchvision_golden.py writes it. */
interface TorchvisionGolden {
  readonly seed: number;
  readonly gamma: number;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly logits: readonly number[];
}

const FIXTURE = new URL('../fixtures/goldens/network/torchvision.json', import.meta.url);

/** torchvision's own S3D at full size: what its weights and clip are made from, and its logits. */
export function torchvisionGolden(): TorchvisionGolden {
  return JSON.parse(readFileSync(FIXTURE, 'utf8')) as TorchvisionGolden;
}
