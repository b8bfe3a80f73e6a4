import type { NetworkOptions } from './network/graph.ts';
import type { SamplerOptions } from '../sampler/types.ts';

/** The model that is meant where none is named: it ships with the program. */
export const DEFAULT_MODEL = 's3d-g-atfr';

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
  /**
   * What turns outputs into scores. `none`: there are no scores, the output is an embedding; labels
   * name its values.
   */
  readonly activation: 'softmax' | 'sigmoid' | 'none';
  readonly sampler: SamplerOptions;
  /** Frames a second at which the network saw its training clips, and how it steps through a stream. */
  readonly clip: { readonly fps: number; readonly stride: number };
  /** How frames are brought to the network's size; the same as the network saw in training. */
  readonly picture?: FrameFit;
  readonly weights: {
    readonly file: string;
    readonly sha256: string;
    /**
     * The model, by name, that has the tensors which the file lacks: its backbone. `sha256` is that of its
     * weights file.
     */
    readonly base?: { readonly model: string; readonly sha256: string };
  };
  /** Per label on/off thresholds chosen on training data. */
  readonly thresholds?: Readonly<Record<string, { readonly on: number; readonly off: number }>>;
  readonly provenance?: ModelProvenance;
}

/**
 * `stretch`: both sides to `scale` times the network's size; `crop`: the short side, the aspect
 * kept. Then the middle is cut out. Kinetics networks see 224 of 256 pixels: scale 256/224.
 */
export interface FrameFit {
  readonly fit: 'stretch' | 'crop';
  readonly scale: number;
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
  /** Models that were joined into this one, by the names that were given. */
  readonly heads?: readonly ModelHead[];
}

/** A model whose labels are among those of a joined one. */
export interface ModelHead {
  readonly name: string;
  readonly labels: readonly string[];
}
