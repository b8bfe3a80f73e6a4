import { toActionstreamError } from '../../core/errors.ts';
import type { Clip } from '../../core/frame.ts';
import type { Logger } from '../../core/logger.ts';
import { heldShare } from '../../core/decisions.ts';
import type { AuditNote } from '../../events/types.ts';
import type { InferenceResult, PixelClip } from '../../inference/engine.ts';
import type { StreamEngine } from '../../inference/scheduler/engine-scheduler.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import { createAuditController, type AuditController, type AuditTargets } from './audit-controller.ts';
import { isChosen } from './is-chosen.ts';
import { ladderOf, type Rung } from './ladder.ts';

/**
 * Watches on a share of a live stream's clips whether its δ decides as the dense network does, and sets δ by
 * it.
 */
export interface StreamAudit {
  /**
   * How the clip runs, and whether its feature maps are to be kept for `examine`. One call a clip, in order.
   */
  begin(clip: Clip): AuditedRun;
  /** Of a clip that was chosen, once it is scored. Rejects never; nothing waits for it. */
  examine(clip: Clip, run: AuditedRun, scored: InferenceResult, signal: AbortSignal): Promise<void>;
  /** A chosen clip could not be scored. */
  giveUp(clip: Clip, signal: AbortSignal): void;
  read(): AuditState;
}

export interface AuditedRun extends Rung {
  readonly chosen: boolean;
  /** For the receipt. */
  readonly note: AuditNote;
}

/** For metrics. */
export interface AuditState {
  readonly agreement?: number;
  readonly agreementLow?: number;
  /** δ in use over the configured one; 0: dense. */
  readonly deltaScale: number;
  readonly audited: number;
  /** Chosen clips that were not audited, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly changes: { readonly lowered: number; readonly raised: number };
  /** What the audit has cost. */
  readonly multiplyAdds: number;
}

export interface StreamAuditOptions {
  readonly targets: AuditTargets;
  readonly sampler: SamplerOptions;
  /** On-thresholds of the stream's labels. */
  readonly thresholds: readonly number[];
  readonly engine: Pick<StreamEngine, 'info' | 'mayKeep' | 'inferAgain' | 'forgetMaps'>;
  readonly logger: Logger;
}

/** Watches one stream; nothing runs before its first clip. */
export function createStreamAudit(streamId: string, options: StreamAuditOptions): StreamAudit {
  return new LadderAudit(streamId, options);
}

/**
 * A chosen clip is scored as every clip is, with the δ in use. Its feature maps at the cut are kept, and the
 * upper stage runs again, on the dense network and at each other rung of the ladder, whenever the engine has
 * nothing else to do. So scores of streams have the same bits with and without it, and no event waits for an
 * audit.
 *
 * A chosen clip is dropped, and counted, where the one before is still at work (`busy`), the engine keeps as
 * many as it can (`no_room`), a call failed (`failed`) or the stream ended (`stopped`). One that waits is
 * never dropped for a newer one: it waits through a busy time, in which things happen, and does not make room
 * for a calm one.
 */
class LadderAudit implements StreamAudit {
  readonly #streamId: string;
  readonly #options: StreamAuditOptions;
  readonly #ladder: readonly Rung[];
  readonly #controller: AuditController;
  readonly #dropped: Record<string, number> = {};
  readonly #changes = { lowered: 0, raised: 0 };
  #audited = 0;
  #multiplyAdds = 0;
  #isBusy = false;
  #changesTold = 0;

  constructor(streamId: string, options: StreamAuditOptions) {
    const { targets, sampler, thresholds, engine } = options;
    this.#streamId = streamId;
    this.#options = options;
    this.#ladder = ladderOf(sampler);
    const decisions = engine.info.labelsStandAlone ? thresholds.length : 1;
    this.#controller = createAuditController(targets, { rungs: this.#ladder.length, decisions });
  }

  begin(clip: Clip): AuditedRun {
    const { rung } = this.#controller.read();
    const deltaScale = this.#scaleAt(rung);
    const made = this.#changes.lowered + this.#changes.raised;
    const note: AuditNote = { ...this.#agreement(), deltaScale, deltaChanges: made - this.#changesTold };
    this.#changesTold = made;
    const sampler = this.#ladder[rung]?.sampler ?? this.#options.sampler;
    return { sampler, deltaScale, chosen: this.#choose(clip), note };
  }

  async examine(
    clip: Clip,
    { deltaScale }: AuditedRun,
    scored: InferenceResult,
    signal: AbortSignal,
  ): Promise<void> {
    const again = async (rung: Rung): Promise<InferenceResult> => {
      if (rung.deltaScale === deltaScale) return scored;
      const asked = { sampler: rung.sampler, signal };
      const result = await this.#options.engine.inferAgain(withoutPixels(clip), asked);
      this.#multiplyAdds += result.compute.multiplyAdds;
      return result;
    };
    try {
      const runs = await eachRung(this.#ladder, again);
      const dense = runs.at(-1) ?? scored;
      const sampled = runs.slice(0, -1);
      this.#observe(
        clip,
        sampled.map((result) => heldShare(dense, result, this.#options.thresholds)),
      );
    } catch (error) {
      this.#fail(error, signal);
    } finally {
      this.#end(clip);
    }
  }

  giveUp(clip: Clip, signal: AbortSignal): void {
    this.#drop(signal.aborted ? 'stopped' : 'failed');
    this.#end(clip);
  }

  read(): AuditState {
    return {
      ...this.#agreement(),
      deltaScale: this.#scaleAt(this.#controller.read().rung),
      audited: this.#audited,
      dropped: this.#dropped,
      changes: this.#changes,
      multiplyAdds: this.#multiplyAdds,
    };
  }

  #choose({ clipId }: Clip): boolean {
    const { share } = this.#controller.read();
    if (this.#ladder.length === 1 || !isChosen(this.#streamId, clipId, share)) return false;
    const reason = this.#isBusy ? 'busy' : this.#options.engine.mayKeep() ? undefined : 'no_room';
    if (reason !== undefined) this.#drop(reason);
    else this.#isBusy = true;
    return reason === undefined;
  }

  #observe(clip: Clip, shares: readonly number[]): void {
    const before = this.#controller.read().rung;
    this.#controller.observe({ block: blockOf(clip), shares });
    this.#audited += 1;
    const { rung, agreement, agreementLow } = this.#controller.read();
    if (rung === before) return;
    this.#changes[rung > before ? 'lowered' : 'raised'] += 1;
    const { logger, targets } = this.#options;
    const fields = {
      ...{ stream_id: this.#streamId, delta_scale: this.#scaleAt(rung), floor: targets.agreement },
      ...{ agreement, agreement_low: agreementLow, audited_clips: this.#audited },
    };
    const isDense = rung === this.#ladder.length - 1;
    if (rung > before) logger.warn(fields, `audit: δ lowered${isDense ? ' to dense' : ''}`);
    else logger.info(fields, 'audit: δ raised');
  }

  #fail(error: unknown, signal: AbortSignal): void {
    this.#drop(signal.aborted ? 'stopped' : 'failed');
    if (signal.aborted) return;
    const { code, message } = toActionstreamError(error);
    const fields = { stream_id: this.#streamId, err: { type: code, message } };
    this.#options.logger.debug(fields, 'a clip could not be audited');
  }

  #drop(reason: string): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1;
  }

  #end({ clipId }: Clip): void {
    this.#isBusy = false;
    this.#options.engine.forgetMaps(clipId);
  }

  #agreement(): Pick<AuditState, 'agreement' | 'agreementLow'> {
    const { agreement, agreementLow } = this.#controller.read();
    return agreement === undefined || agreementLow === undefined ? {} : { agreement, agreementLow };
  }

  /** δ of a rung over the configured one; 0: dense. */
  #scaleAt(rung: number): number {
    return this.#ladder[rung]?.deltaScale ?? 0;
  }
}

/**
 * From the largest δ down. Once every step is kept each smaller δ keeps them too: what follows is the dense
 * network.
 */
async function eachRung(
  ladder: readonly Rung[],
  run: (rung: Rung) => Promise<InferenceResult>,
): Promise<readonly InferenceResult[]> {
  const runs: InferenceResult[] = [];
  let dense: InferenceResult | undefined;
  for (const rung of ladder) {
    const result = dense ?? (await run(rung));
    if (result.plan.outputLength === result.plan.inputLength) dense = result;
    runs.push(result);
  }
  return runs;
}

/** As in `calibrate`: clips that begin in the same stretch of a clip's length share frames. */
function blockOf({ segment, framesBefore, frames }: Clip): string {
  return `${segment} ${Math.floor(framesBefore / frames.length)}`;
}

/** The clip as far as the engine needs it again: it has its maps. */
function withoutPixels({ frames, clipId }: Clip): PixelClip {
  const { height = 0, width = 0 } = frames[0] ?? {};
  return { clipId, frames: frames.length, height, width, data: new Uint8Array() };
}
