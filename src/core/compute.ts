/**
 * The compute receipt of one clip. Multiply-adds follow the network's cost model (dense, padding included) and
 * never mean anything else; durations are milliseconds on the monotonic clock.
 */
export interface ComputeStats {
  /** Time steps that reached the SGS layer, T'. */
  readonly inputSteps: number;
  /** Time steps of which the scores are made, B'. */
  readonly keptSteps: number;
  readonly multiplyAdds: number;
  /** What the same clip would have cost without sampling or reuse. */
  readonly denseMultiplyAdds: number;
  /** Of the input steps, those that were not computed: an earlier clip had, or the pictures were the same. */
  readonly reusedSteps: number;
  /** Of the kept steps, those whose maps an earlier clip was scored with: all, and the upper half did not run, or none. */
  readonly reusedKeptSteps: number;
  /** Multiply-adds not spent because of both: with them `multiplyAdds` would be the clip's by itself. */
  readonly reusedMultiplyAdds: number;
  readonly queueMs: number;
  readonly lowerMs: number;
  readonly samplerMs: number;
  readonly upperMs: number;
  /** onnx, reference, null, … */
  readonly engine: string;
  /** cpu, cuda:0, … */
  readonly device: string;
}
