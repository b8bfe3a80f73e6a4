import type { NetworkOptions } from '../../inference/network/graph.ts';
import type { StageName } from '../../inference/network/stages.ts';

/** One line of the report: a network, perhaps with SGS at a place and so many steps kept. */
export interface ReportCase {
  readonly variant: string;
  readonly sgs?: { readonly after: StageName; readonly keptSteps: number };
}

export interface ReportRequest {
  readonly cases: readonly ReportCase[];
  /** Shape of all networks: frames, size, width multiplier, classes. */
  readonly network: Partial<NetworkOptions>;
  readonly threads: number;
  /** Each network is visited so often, in turn with all others. */
  readonly rounds: number;
}

export interface ReportRow extends ReportCase {
  readonly parameters: number;
  readonly multiplyAdds: number;
  /** Steps that the upper stage ran with; absent without SGS. */
  readonly keptSteps?: number;
  /** Median over rounds of the median over a visit's clips, milliseconds a clip. */
  readonly ms: number;
  /** Extremes over rounds. */
  readonly msFrom: number;
  readonly msTo: number;
  /** Most memory of the process while it ran clips, MiB: Node, runtime, weights and activations. */
  readonly peakMiB: number;
  /** Dense networks only. */
  readonly stages?: readonly StageRow[];
}

export interface StageRow {
  readonly stage: string;
  readonly multiplyAdds: number;
  readonly ms: number;
}

export interface Report {
  /** Options all networks had in common. */
  readonly network: Pick<NetworkOptions, 'frames' | 'height' | 'width' | 'widthMultiplier' | 'classes'>;
  readonly threads: number;
  readonly rounds: number;
  readonly machine: string;
  readonly rows: readonly ReportRow[];
}

/** What a measuring process is asked. */
export interface VisitRequest {
  readonly network: Partial<NetworkOptions>;
  /** Uniform stride at the SGS layer; absent: one graph. */
  readonly stride?: number;
  readonly threads: number;
  readonly clips: number;
  readonly profile: boolean;
}

/** What it answers. */
export interface Visit {
  /** Median over clips. */
  readonly ms: number;
  readonly peakMiB: number;
  readonly stages?: readonly { readonly stage: string; readonly ms: number }[];
}
