import { amount, count, group, number, optional, perRun, text, type Field, type Group } from './fields.ts';

/**
 * The compute receipt. A field names what it is made of: a measurement of the clip, and for the receipt
 * of an episode how those of its clips become one. Multiply-adds follow the network's cost model (dense,
 * padding included) and never mean anything else; durations are milliseconds on the monotonic clock.
 *
 * A new field is a line here, its measurement in `src/inference/compute-stats.ts`, and a migration.
 */
export interface Measured<Name extends string = string> {
  /** A name of Measurements. */
  readonly from: Name;
  /** Over the clips of an episode; `newest`: of its newest clip; `derived`: of the other ones. */
  readonly over: 'sum' | 'mean' | 'largest' | 'newest' | 'derived';
  /** Published to so many decimals; default: as measured. */
  readonly decimals?: number;
}

const MS_DECIMALS = 3;

const WORK_FIELDS = {
  sampler: newest('sampler', text('none, uniform, reference, ordered, …')),
  delta: measured(
    { from: 'delta', over: 'largest', decimals: 6 },
    optional(
      amount(
        'The bin width of sampler `ordered`. A tight compute budget raises it; an audit lowers it, to 0: dense',
      ),
    ),
  ),
  audit_agreement: measured(
    { from: 'auditAgreement', over: 'newest', decimals: 6 },
    optional(
      amount(
        'Of audited streams: share of decisions that were those of the dense network, over the audited clips of late, with the δ in use',
      ),
    ),
  ),
  audit_agreement_low: measured(
    { from: 'auditAgreementLow', over: 'newest', decimals: 6 },
    optional(amount('Its lower confidence bound; 1 where dense')),
  ),
  audit_delta_scale: measured(
    { from: 'auditDeltaScale', over: 'newest', decimals: 6 },
    optional(amount('δ that the audit allows, over the configured one; 0: dense')),
  ),
  audit_delta_changes: sum(
    'auditDeltaChanges',
    optional(count('Changes of δ by the audit since the clip before')),
  ),
  kept_steps: sum('keptSteps', count('Time steps that the upper stage processed')),
  input_steps: sum('inputSteps', count('Time steps that reached the sampler')),
  multiply_adds: sum('multiplyAdds', amount()),
  dense_multiply_adds: sum('denseMultiplyAdds', amount('Cost of the same without sampling and reuse')),
  reused_steps: sum(
    'reusedSteps',
    optional(
      count(
        'Of the input steps, those that were not computed: an earlier clip had, or the frames were the same',
      ),
    ),
  ),
  reused_kept_steps: sum(
    'reusedKeptSteps',
    optional(count('Of the kept steps, those whose maps an earlier clip had been scored with')),
  ),
  reused_multiply_adds: sum('reusedMultiplyAdds', amount('Paid for by another clip')),
};

const TIMING_FIELDS = {
  latency_ms: group(
    {
      queue: mean('queueMs', perRun(amount())),
      lower: mean('lowerMs', perRun(amount())),
      sampler: mean('samplerMs', perRun(amount())),
      upper: mean('upperMs', perRun(amount())),
      e2e: measured(
        { from: 'e2eMs', over: 'newest', decimals: MS_DECIMALS },
        perRun(number('Emitted − last frame of the clip received')),
      ),
    },
    { doc: 'Milliseconds', columnOf: (name) => `latency_${name}_ms` },
  ),
  engine: newest('engine', text()),
  device: newest('device', text()),
};

/** Of one clip. */
export const CLIP_RECEIPT_FIELDS = { ...WORK_FIELDS, ...TIMING_FIELDS };

/** Of all clips of an episode. */
export const EPISODE_RECEIPT_FIELDS = {
  ...WORK_FIELDS,
  delta: {
    ...WORK_FIELDS.delta,
    doc: 'The bin width of sampler `ordered`: the largest of the clips. A tight compute budget raises it',
  },
  saved_ratio: measured(
    { from: 'savedRatio', over: 'derived', decimals: 6 },
    number('1 − multiply_adds ÷ dense_multiply_adds'),
  ),
  ...TIMING_FIELDS,
};

/** What the receipt of a clip is made of. */
export type Measurements = {
  readonly [Of in LeavesOf<typeof EPISODE_RECEIPT_FIELDS> as Of['from']]: Of extends Field<infer Value>
    ? Value
    : never;
};

/** A receipt's fields. */
export interface MeasuredFields {
  readonly [name: string]: (Field & Measured) | Group<MeasuredFields>;
}

/** What an engine says of one clip: its share of the measurements. */
export type ComputeStats = Omit<
  Measurements,
  'sampler' | 'delta' | 'e2eMs' | 'savedRatio' | `audit${string}`
>;

type LeavesOf<List> = {
  [Name in keyof List]: List[Name] extends Group<infer Members> ? LeavesOf<Members> : List[Name];
}[keyof List] &
  Measured;

function measured<Of extends Field, Name extends string>(
  rule: Measured<Name>,
  field: Of,
): Of & Measured<Name> {
  return { ...field, ...rule };
}

function sum<Of extends Field, Name extends string>(from: Name, field: Of): Of & Measured<Name> {
  return measured({ from, over: 'sum' }, field);
}

function mean<Of extends Field, Name extends string>(from: Name, field: Of): Of & Measured<Name> {
  return measured({ from, over: 'mean', decimals: MS_DECIMALS }, field);
}

function newest<Of extends Field, Name extends string>(from: Name, field: Of): Of & Measured<Name> {
  return measured({ from, over: 'newest' }, field);
}
