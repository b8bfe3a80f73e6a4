export type BenchPart = 'clip' | 'model' | 'stages' | 'reuse' | 'streams';

export interface BenchRequest {
  readonly parts: readonly BenchPart[];
  readonly quick: boolean;
  /** A Python with torch and OpenCV. */
  readonly python?: string;
  /** Folder of results and plots. */
  readonly out: string;
  readonly threads: number;
  readonly model: string;
  readonly videos: readonly string[];
  /** Numbers of streams, rising. */
  readonly counts: readonly number[];
  readonly seconds: number;
  /** More configuration of the runs that are measured. */
  readonly settings?: object;
}

export interface BenchOutcome {
  readonly ratios: readonly { readonly name: string; readonly value: string; readonly detail: string }[];
  readonly results: object;
  readonly files: readonly string[];
}

/** What `actionstream bench` has measured, as `results.json` keeps it; a part that was not run is absent. */
export interface BenchResults {
  readonly machine: Machine;
  /** Dense clips by shape: see CLIP_SHAPES. */
  readonly clips?: Readonly<Record<string, ClipTimes>>;
  readonly stages?: StageTimes;
  readonly reuse?: ReuseTimes;
  readonly streams?: StreamRuns;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly version: string;
  readonly date: string;
  /** Versions of the peer's packages. */
  readonly peer?: string;
}

/** One clip of one shape, by case; sample i of every case was taken in the same round. */
export interface ClipTimes {
  readonly multiplyAdds: number;
  readonly threads: number;
  readonly cases: Readonly<Record<string, readonly Sample[]>>;
  /** Float32 matrix products of 2048×2048, taken in the same rounds. */
  readonly gemmGflops: readonly number[];
}

export interface Sample {
  readonly ms: number;
  /** Cores that other programs used meanwhile. */
  readonly othersCores: number;
}

export interface StageTimes {
  readonly whole: readonly Sample[];
  readonly inputSteps: number;
  readonly cases: readonly StageCase[];
}

/** The network cut at SGS, so many steps kept. */
export interface StageCase {
  readonly keptSteps: number;
  /** Multiply-adds relative to the whole network. */
  readonly costShare: number;
  readonly samples: readonly (Sample & {
    readonly lowerMs: number;
    readonly samplerMs: number;
    readonly upperMs: number;
  })[];
}

/** Clips of a stream that overlap by half, against the same clips each by itself. */
export interface ReuseTimes {
  readonly apartLowerMs: readonly number[];
  readonly sharedLowerMs: readonly number[];
}

export interface StreamRuns {
  /** A stream keeps up while the 95th percentile of its clips' latency stays below this. */
  readonly sloMs: number;
  readonly ours: readonly StreamRun[];
  readonly peer: readonly StreamRun[];
}

export interface StreamRun {
  readonly streams: number;
  readonly seconds: number;
  readonly clips: number;
  readonly dropped: number;
  /** Last frame of the clip received → scores ready. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly max?: number };
  /** Ours only: what the receipts and the log of the run say. */
  readonly receipts?: RunReceipts;
  /** Cores used, and memory (proportional set size), of all processes. */
  readonly cores: number;
  readonly mebibytes: number;
  /** Ours only: cores that other programs used meanwhile; a run among them says little. */
  readonly othersCores?: number;
  /** Ours only: `main`, `engine` (its processes), `ffmpeg`, `guard`. */
  readonly byPart?: Readonly<Record<string, { readonly cores: number; readonly mebibytes: number }>>;
}

export interface RunReceipts {
  /** Mean over the clips. */
  readonly keptSteps: number;
  /** The δ of `ordered` that was used; above the configured one where the compute budget was tight. */
  readonly delta?: { readonly mean: number; readonly max: number };
  /** Clips of the stream that had the fewest. */
  readonly fewestClips: number;
  /** Clips that could not be inferred, of the whole run. */
  readonly failed: number;
}
