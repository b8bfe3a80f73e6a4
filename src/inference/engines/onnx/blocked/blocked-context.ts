import type { LayerContext } from '../layer-writers.ts';

export interface BlockedContext extends LayerContext {
  /** S: channels side by side in memory. */
  readonly size: number;
}
