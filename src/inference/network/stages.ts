/**
 * The S3D family's layer table (Xie et al., ECCV 2018, arXiv:1712.04851, fig. 2 and 6): one row a
 * stage, the same for all variants. A variant only decides which stages see time, and how (variants.ts).
 */
export type Triple = readonly [t: number, h: number, w: number];

export type StageName = (typeof STAGES)[number]['name'];

/** Channels of a Mixed block: b0 1³ · b1 1³ → 3³ · b2 1³ → 3³ · b3 max-pool 3³ → 1³, concatenated. */
export interface MixedChannels {
  readonly b0: number;
  readonly b1: readonly [reduce: number, out: number];
  readonly b2: readonly [reduce: number, out: number];
  readonly b3: number;
}

export type Stage =
  | {
      readonly name: string;
      readonly op: 'conv';
      readonly kernel: Triple;
      readonly stride: Triple;
      readonly channels: number;
    }
  | { readonly name: string; readonly op: 'max_pool'; readonly kernel: Triple; readonly stride: Triple }
  | { readonly name: string; readonly op: 'mixed'; readonly channels: MixedChannels };

export const STAGES = [
  { name: 'Conv_1a', op: 'conv', kernel: [7, 7, 7], stride: [2, 2, 2], channels: 64 },
  { name: 'MaxPool_2a', op: 'max_pool', kernel: [1, 3, 3], stride: [1, 2, 2] },
  { name: 'Conv_2b', op: 'conv', kernel: [1, 1, 1], stride: [1, 1, 1], channels: 64 },
  { name: 'Conv_2c', op: 'conv', kernel: [3, 3, 3], stride: [1, 1, 1], channels: 192 },
  { name: 'MaxPool_3a', op: 'max_pool', kernel: [1, 3, 3], stride: [1, 2, 2] },
  { name: 'Mixed_3b', op: 'mixed', channels: { b0: 64, b1: [96, 128], b2: [16, 32], b3: 32 } },
  { name: 'Mixed_3c', op: 'mixed', channels: { b0: 128, b1: [128, 192], b2: [32, 96], b3: 64 } },
  { name: 'MaxPool_4a', op: 'max_pool', kernel: [3, 3, 3], stride: [2, 2, 2] },
  { name: 'Mixed_4b', op: 'mixed', channels: { b0: 192, b1: [96, 208], b2: [16, 48], b3: 64 } },
  { name: 'Mixed_4c', op: 'mixed', channels: { b0: 160, b1: [112, 224], b2: [24, 64], b3: 64 } },
  { name: 'Mixed_4d', op: 'mixed', channels: { b0: 128, b1: [128, 256], b2: [24, 64], b3: 64 } },
  { name: 'Mixed_4e', op: 'mixed', channels: { b0: 112, b1: [144, 288], b2: [32, 64], b3: 64 } },
  { name: 'Mixed_4f', op: 'mixed', channels: { b0: 256, b1: [160, 320], b2: [32, 128], b3: 128 } },
  { name: 'MaxPool_5a', op: 'max_pool', kernel: [2, 2, 2], stride: [2, 2, 2] },
  { name: 'Mixed_5b', op: 'mixed', channels: { b0: 256, b1: [160, 320], b2: [32, 128], b3: 128 } },
  { name: 'Mixed_5c', op: 'mixed', channels: { b0: 384, b1: [192, 384], b2: [48, 128], b3: 128 } },
] as const satisfies readonly Stage[];

/** Stages whose kernel can span time: the possible cuts of bottom- and top-heavy variants, bottom first. */
export const TEMPORAL_STAGES: readonly StageName[] = STAGES.filter(
  (stage) => stage.op === 'mixed' || (stage.op === 'conv' && stage.kernel[0] > 1),
).map((stage) => stage.name);
