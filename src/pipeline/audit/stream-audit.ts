import { toActionstreamError } from '../../core/errors.ts';
import type { Clip } from '../../core/frame.ts';
import type { Logger } from '../../core/logger.ts';
import { heldShare } from '../../core/decisions.ts';
import type { AuditNote } from '../../events/types.ts';
import type { InferenceResult, PixelClip } from '../../inference/engine.ts';
import type { StreamEngine } from '../../inference/scheduler/engine-scheduler.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import { createAuditController, type AuditTargets } from './audit-controller.ts';
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
export function createStreamAudit(
  streamId: string,
  { targets, sampler, thresholds, engine, logger }: StreamAuditOptions,
): StreamAudit {
  const ladder = ladderOf(sampler);
  const decisions = engine.info.labelsStandAlone ? thresholds.length : 1;
  const controller = createAuditController(targets, { rungs: ladder.length, decisions });
  const dropped: Record<string, number> = {};
  const changes = { lowered: 0, raised: 0 };
  let audited = 0;
  let multiplyAdds = 0;
  let isBusy = false;
  let changesTold = 0;

  const drop = (reason: string): void => {
    dropped[reason] = (dropped[reason] ?? 0) + 1;
  };

  const choose = ({ clipId }: Clip): boolean => {
    if (ladder.length === 1 || !isChosen(streamId, clipId, controller.read().share)) return false;
    const reason = isBusy ? 'busy' : engine.mayKeep() ? undefined : 'no_room';
    if (reason !== undefined) drop(reason);
    else isBusy = true;
    return reason === undefined;
  };

  const end = ({ clipId }: Clip): void => {
    isBusy = false;
    engine.forgetMaps(clipId);
  };

  const observe = (clip: Clip, shares: readonly number[]): void => {
    const before = controller.read().rung;
    controller.observe({ block: blockOf(clip), shares });
    audited += 1;
    const { rung, agreement, agreementLow } = controller.read();
    if (rung === before) return;
    changes[rung > before ? 'lowered' : 'raised'] += 1;
    const fields = {
      ...{ stream_id: streamId, delta_scale: scaleAt(rung), floor: targets.agreement },
      ...{ agreement, agreement_low: agreementLow, audited_clips: audited },
    };
    if (rung > before) logger.warn(fields, `audit: δ lowered${isDense(rung) ? ' to dense' : ''}`);
    else logger.info(fields, 'audit: δ raised');
  };

  const agreementNow = (): Pick<AuditState, 'agreement' | 'agreementLow'> => {
    const { agreement, agreementLow } = controller.read();
    return agreement === undefined || agreementLow === undefined ? {} : { agreement, agreementLow };
  };

  const scaleAt = (rung: number): number => ladder[rung]?.deltaScale ?? 0;
  const isDense = (rung: number): boolean => rung === ladder.length - 1;

  return {
    begin(clip) {
      const { rung } = controller.read();
      const made = changes.lowered + changes.raised;
      const note: AuditNote = {
        ...agreementNow(),
        deltaScale: scaleAt(rung),
        deltaChanges: made - changesTold,
      };
      changesTold = made;
      return {
        sampler: ladder[rung]?.sampler ?? sampler,
        deltaScale: scaleAt(rung),
        chosen: choose(clip),
        note,
      };
    },

    async examine(clip, { deltaScale }, scored, signal) {
      const again = async (rung: Rung): Promise<InferenceResult> => {
        if (rung.deltaScale === deltaScale) return scored;
        const result = await engine.inferAgain(withoutPixels(clip), { sampler: rung.sampler, signal });
        multiplyAdds += result.compute.multiplyAdds;
        return result;
      };
      try {
        const runs = await eachRung(ladder, again);
        const dense = runs.at(-1) ?? scored;
        observe(
          clip,
          runs.slice(0, -1).map((result) => heldShare(dense, result, thresholds)),
        );
      } catch (error) {
        drop(signal.aborted ? 'stopped' : 'failed');
        if (!signal.aborted) {
          const { code, message } = toActionstreamError(error);
          logger.debug({ stream_id: streamId, err: { type: code, message } }, 'a clip could not be audited');
        }
      } finally {
        end(clip);
      }
    },

    giveUp(clip, signal) {
      drop(signal.aborted ? 'stopped' : 'failed');
      end(clip);
    },

    read() {
      const { rung } = controller.read();
      return {
        ...agreementNow(),
        ...{ deltaScale: scaleAt(rung), audited, dropped, changes, multiplyAdds },
      };
    },
  };
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
