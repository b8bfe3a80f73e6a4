import type { NetworkOptions } from './network/graph.ts';
import type { SamplerOptions } from '../sampler/types.ts';

/** A tensor of a weights file. Shapes follow PyTorch. */
export interface WeightTensor {
  readonly shape: readonly number[];
  /** fp16 files are widened at load. */
  readonly data: Float32Array;
}

export type Weights = ReadonlyMap<string, WeightTensor>;

/** `manifest.json` beside a `model.safetensors`. */
export interface ModelManifest {
  readonly id: string;
  readonly version: string;
  readonly network: NetworkOptions;
  readonly labels: readonly string[];
  /** The label that means "none of them": scored, never an event. */
  readonly background?: string;
  readonly activation: 'softmax' | 'sigmoid';
  readonly sampler: SamplerOptions;
  /** Frames a second at which the network saw its training clips, and how it steps through a stream. */
  readonly clip: { readonly fps: number; readonly stride: number };
  readonly weights: { readonly file: string; readonly sha256: string };
  /** Per label on/off thresholds chosen on training data. */
  readonly thresholds?: Readonly<Record<string, { readonly on: number; readonly off: number }>>;
  readonly provenance?: ModelProvenance;
}

/** Where trained weights come from. */
interface ModelProvenance {
  /** ISO date. */
  readonly date: string;
  readonly command: string;
  readonly sources: readonly {
    readonly name: string;
    readonly licence: string;
    /** What of it was used, e.g. `shared-train, 164 clips`. */
    readonly use: string;
  }[];
}

export interface Model {
  readonly manifest: ModelManifest;
  readonly weights: Weights;
  /** `sha256:<hex>` of the weights. */
  readonly digest: string;
}
